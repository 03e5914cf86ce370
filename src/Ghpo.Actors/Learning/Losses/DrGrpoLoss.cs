namespace Ghpo.Learning.Losses;

/// <summary>
/// <c>dr_grpo</c>: a sum over tokens with a constant divisor, so that a long wrong answer is not punished less per token than a short one
/// (Liu et al. 2025, arXiv 2503.20783, section 3.2). Its advantages are centred only, never divided by the deviation.
/// <code>
///   L = − 1/(N · L_max) Σ_i Σ_t ℓ_it
/// </code>
/// N answers of the whole step, L_max = <c>rollout.max-new-tokens</c>.
/// </summary>
internal static class DrGrpoLoss
{
    /// <summary>Weight of each token of each row: 1 / (N L_max).</summary>
    public static double[] TokenWeights(IReadOnlyList<TrainingRow> rows, int maxNewTokens) =>
        [.. rows.Select(_ => 1.0 / ((double)rows.Count * maxNewTokens))];
}
