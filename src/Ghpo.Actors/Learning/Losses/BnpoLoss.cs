namespace Ghpo.Learning.Losses;

/// <summary>
/// <c>bnpo</c>: every token weighs the same (token mean over the batch; the aggregation of the GHPO reference code).
/// <code>
///   L = − 1/(Σ_i |o_i|) Σ_i Σ_t ℓ_it
/// </code>
/// The reference code takes the mean over each micro-batch, so that its gradient depends on how rows are packed. Here the sum runs over the
/// whole step.
/// </summary>
internal static class BnpoLoss
{
    /// <summary>Weight of each token of each row: 1 / Σ_i |o_i|.</summary>
    public static double[] TokenWeights(IReadOnlyList<TrainingRow> rows)
    {
        long tokens = rows.Sum(row => (long)row.Tokens);
        return [.. rows.Select(_ => tokens == 0 ? 0 : 1.0 / tokens)];
    }
}
