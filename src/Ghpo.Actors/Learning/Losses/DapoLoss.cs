namespace Ghpo.Learning.Losses;

/// <summary>
/// <c>dapo</c>: token mean over the groups that teach something (Yu et al. 2025, arXiv 2503.14476, eq. 8: groups that are all right or all
/// wrong are not in the batch).
/// <code>
///   L = − 1/(Σ_{i ∈ D} |o_i|) Σ_{i ∈ D} Σ_t ℓ_it        D: answers of groups whose rewards differ
/// </code>
/// Groups outside D are out of the KL term, too.
/// </summary>
internal static class DapoLoss
{
    /// <summary>Weight of each token of each row: 1 / Σ_{i ∈ D} |o_i|, or 0 outside D.</summary>
    public static double[] TokenWeights(IReadOnlyList<TrainingRow> rows)
    {
        long tokens = rows.Sum(row => row.GroupDiffers ? row.Tokens : 0L);
        return [.. rows.Select(row => row.GroupDiffers && tokens > 0 ? 1.0 / tokens : 0)];
    }
}
