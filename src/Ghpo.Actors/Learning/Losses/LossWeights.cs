using System.Diagnostics;

namespace Ghpo.Learning.Losses;

/// <summary>
/// A loss is a weighted sum over tokens, L = − Σ_i a_i Σ_t ℓ_it, and the losses differ in a_i alone. The weights are taken over the whole
/// step before it is cut into micro-batches, so the accumulated gradient does not depend on the cut.
/// </summary>
internal static class LossWeights
{
    /// <summary>a_i of each row. Rows are the answers that count, zero-advantage ones included.</summary>
    public static double[] Of(LossKind loss, IReadOnlyList<TrainingRow> rows, int maxNewTokens) => loss switch
    {
        LossKind.Grpo => GrpoLoss.TokenWeights(rows),
        LossKind.Bnpo => BnpoLoss.TokenWeights(rows),
        LossKind.DrGrpo => DrGrpoLoss.TokenWeights(rows, maxNewTokens),
        LossKind.Dapo => DapoLoss.TokenWeights(rows),
        _ => throw new UnreachableException($"No loss of kind {loss}."),
    };
}
