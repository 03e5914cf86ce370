namespace Ghpo.Learning.Losses;

/// <summary>
/// <c>grpo</c>: every answer weighs the same, whatever its length (Shao et al. 2024, arXiv 2402.03300, eq. 3; the objective of the GHPO paper).
/// <code>
///   L = − 1/N Σ_i 1/|o_i| Σ_t ℓ_it
/// </code>
/// N answers of the whole step, |o_i| tokens of answer i, ℓ_it the token objective of <see cref="TokenObjective"/>.
/// </summary>
internal static class GrpoLoss
{
    /// <summary>Weight of each token of each row: 1 / (N |o_i|).</summary>
    public static double[] TokenWeights(IReadOnlyList<TrainingRow> rows) =>
        [.. rows.Select(row => row.Tokens == 0 ? 0 : 1.0 / ((double)rows.Count * row.Tokens))];
}
