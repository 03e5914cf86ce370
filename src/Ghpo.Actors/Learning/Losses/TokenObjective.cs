using static TorchSharp.torch;

namespace Ghpo.Learning.Losses;

/// <summary>
/// What every loss sums up: the clipped surrogate of a token, less its KL penalty. All tensors are float32 [N], one entry a token.
/// <code>
///   ℓ = w · min( r Â, clip(r, 1 − ε_low, 1 + ε_high) Â ) − β k3
///   r  = exp(log π_θ − log π_old)
///   k3 = exp(log π_ref − log π_θ) − (log π_ref − log π_θ) − 1        ≥ 0 (Schulman, "Approximating KL divergence", 2020)
/// </code>
/// w is the truncated importance weight of a stale answer, 1 for a fresh one. Only log π_θ carries a gradient. With π_old = π_θ, r is exactly 1
/// and the gradient of r Â is Â ∇ log π_θ: the clip is inert.
/// </summary>
/// <param name="EpsilonLow">ε_low of the clip range.</param>
/// <param name="EpsilonHigh">ε_high of the clip range.</param>
/// <param name="Beta">β, weight of the KL term.</param>
internal sealed record TokenObjective(double EpsilonLow, double EpsilonHigh, double Beta)
{
    /// <param name="policy">log π_θ of the sampled tokens, with gradient.</param>
    /// <param name="old">log π_old, constant.</param>
    /// <param name="advantage">Â.</param>
    /// <param name="importance">w.</param>
    /// <param name="reference">log π_ref, constant; null exactly if β = 0.</param>
    public TokenTerms Of(Tensor policy, Tensor old, Tensor advantage, Tensor importance, Tensor? reference)
    {
        Tensor ratio = (policy - old).exp();
        Tensor surrogate = importance * minimum(ratio * advantage, ratio.clamp(1 - EpsilonLow, 1 + EpsilonHigh) * advantage);
        Tensor clipped = ratio.lt(1 - EpsilonLow).logical_and(advantage.lt(0))
            .logical_or(ratio.gt(1 + EpsilonHigh).logical_and(advantage.gt(0)));
        if (reference is null)
        {
            return new TokenTerms(surrogate, null, clipped);
        }

        Tensor toReference = reference - policy;
        Tensor kl = toReference.exp() - toReference - 1;
        return new TokenTerms(surrogate - (Beta * kl), kl, clipped);
    }

    /// <summary>w = min(π_old / π_sampler, cap) of stale tokens (mask <paramref name="stale"/>), 1 for the others; constant.</summary>
    public static Tensor StalenessWeight(Tensor old, Tensor sampler, Tensor stale, double cap) =>
        where(stale, (old - sampler).exp().clamp_max(cap), ones_like(old));
}

/// <summary>Terms of each token, [N].</summary>
/// <param name="Objective">ℓ, to be maximised.</param>
/// <param name="Kl">k3; null without a reference.</param>
/// <param name="Clipped">True where the clip cut the gradient off.</param>
internal sealed record TokenTerms(Tensor Objective, Tensor? Kl, Tensor Clipped);
