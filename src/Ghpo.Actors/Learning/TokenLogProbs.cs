using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// Log-probabilities in nats of completion tokens under the tempered distribution that they were sampled from,
/// log π(token) = log_softmax(logits / τ)[token]. Logits are computed where a completion token is predicted and nowhere else.
/// </summary>
/// <param name="LogProbs">float32 [N], one for each target.</param>
/// <param name="EntropySum">Sum over tokens of the entropy −Σ_v π log π, a constant scalar.</param>
public readonly record struct TokenLogProbs(Tensor LogProbs, Tensor EntropySum)
{
    /// <param name="temperature">τ; 0 (greedy sampling) stands for the untempered distribution, as the sampler records it.</param>
    public static TokenLogProbs Of(Decoder decoder, TokenBatch batch, double temperature)
    {
        using Tensor hidden = Predicting(decoder, batch);
        double divisor = temperature == 0 ? 1 : temperature;
        long chunk = Math.Max(1, ChunkedLogProbs.ChunkElements / decoder.Config.VocabularySize);
        (Tensor logProbs, Tensor entropySum) = ChunkedLogProbs.Of(hidden, decoder.Head, batch.Targets, divisor, chunk);
        return new TokenLogProbs(logProbs, entropySum);
    }

    /// <summary>Hidden states that predict a target, [N, d].</summary>
    private static Tensor Predicting(Decoder decoder, TokenBatch batch)
    {
        using Tensor all = decoder.Hidden(batch.Ids);
        using Tensor flat = all.flatten(0, 1);
        return flat.index_select(0, batch.Predictors);
    }

    /// <summary>Log-probabilities of the targets without gradient, [N].</summary>
    internal static Tensor Constant(Decoder decoder, TokenBatch batch, double temperature)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return Of(decoder, batch, temperature).LogProbs.MoveToOuterDisposeScope();
    }
}
