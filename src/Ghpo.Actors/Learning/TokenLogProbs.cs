using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// Log-probabilities in nats of completion tokens under the tempered distribution that they were sampled from,
/// log π(token) = log_softmax(logits / τ)[token]. Logits are computed where a completion token is predicted and nowhere else.
/// </summary>
public static class TokenLogProbs
{
    /// <summary>log_softmax(logits / τ) in float32, [N, V].</summary>
    /// <param name="temperature">τ; 0 (greedy sampling) stands for the untempered distribution, as the sampler records it.</param>
    public static Tensor Distribution(Decoder decoder, TokenBatch batch, double temperature)
    {
        Tensor hidden = decoder.Hidden(batch.Ids).flatten(0, 1).index_select(0, batch.Predictors);
        Tensor logits = decoder.Logits(hidden).to(ScalarType.Float32);
        return nn.functional.log_softmax(temperature is 0 or 1 ? logits : logits / temperature, -1);
    }

    /// <summary>Entry of each target, [N].</summary>
    public static Tensor Of(Tensor distribution, TokenBatch batch) => distribution.gather(1, batch.Targets.unsqueeze(1)).squeeze(1);

    /// <summary>Sum over tokens of the entropy −Σ_v π log π, a constant scalar.</summary>
    internal static Tensor EntropySum(Tensor distribution)
    {
        using var noGradient = no_grad();
        Tensor constant = distribution.detach();
        return (constant.exp() * constant).sum().neg();
    }

    /// <summary>Log-probabilities of the targets without gradient, [N].</summary>
    internal static Tensor Constant(Decoder decoder, TokenBatch batch, double temperature)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return Of(Distribution(decoder, batch, temperature), batch).MoveToOuterDisposeScope();
    }
}
