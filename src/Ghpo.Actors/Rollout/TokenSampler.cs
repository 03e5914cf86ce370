using static TorchSharp.torch;

namespace Ghpo.Rollout;

/// <summary>
/// Draws one token of each row by inverting its cumulative distribution: with p = softmax(z / τ), the token is the first v with
/// Σ p(0..v) &gt; u · Σ p. What a row gets depends on the row alone: every operation below works on rows separately, and a restriction
/// that one row asks for leaves the others' numbers as they are.
/// </summary>
internal static class TokenSampler
{
    /// <param name="logits">z, <c>[B, V]</c>.</param>
    /// <param name="draws">float64 <c>[5, B]</c>, in the order of <see cref="DrawRow"/>.</param>
    /// <param name="restricted">Some row has top-k or top-p.</param>
    /// <returns>
    /// float64 <c>[3, B]</c>: token; its log-probability under the tempered distribution before top-k and top-p; the sum of the row's logits,
    /// which is finite only if all of them are.
    /// </returns>
    internal static Tensor Sample(Tensor logits, Tensor draws, bool greedy, bool restricted)
    {
        Tensor wide = logits.to(ScalarType.Float32);
        Tensor tempered = wide.div(draws.select(0, (long)DrawRow.Temperature).to(ScalarType.Float32).unsqueeze(1));
        Tensor logProbs = tempered.log_softmax(-1);
        Tensor probabilities = tempered.softmax(-1);
        if (restricted)
        {
            probabilities = Restrict(probabilities, draws.select(0, (long)DrawRow.TopK).unsqueeze(1), draws.select(0, (long)DrawRow.TopP).unsqueeze(1));
        }

        // float64: float32 sums would round away the tail of a large vocabulary.
        Tensor cumulative = probabilities.cumsum(-1, ScalarType.Float64);
        Tensor total = cumulative.narrow(1, cumulative.shape[1] - 1, 1);
        Tensor token = searchsorted(cumulative, total.mul(draws.select(0, (long)DrawRow.Uniform).unsqueeze(1)), right: true);
        if (greedy)
        {
            token = where(draws.select(0, (long)DrawRow.Greedy).unsqueeze(1).gt(0), wide.argmax(-1, keepdim: true), token);
        }

        // A row of NaN finds no token; the sum of its logits tells, and the index has to stay legal until then.
        token = token.clamp_max(logits.shape[1] - 1);
        return stack([token.squeeze(1).to(ScalarType.Float64), logProbs.gather(1, token).squeeze(1).to(ScalarType.Float64), wide.sum([-1]).to(ScalarType.Float64)]);
    }

    /// <summary>
    /// Sets the probability of tokens outside top-k and top-p to 0. Of the k most likely tokens, those are kept before which less than the share p
    /// of the k tokens' probability lies. Tokens as likely as the last one kept are kept too. A row with k = V and p = 1 is left as it is.
    /// </summary>
    private static Tensor Restrict(Tensor probabilities, Tensor topK, Tensor topP)
    {
        long vocabulary = probabilities.shape[1];
        Tensor ranked = probabilities.sort(-1, descending: true).Values;
        Tensor cumulative = ranked.cumsum(-1, ScalarType.Float64);
        Tensor ofTopK = cumulative.gather(1, topK.sub(1).to(ScalarType.Int64));
        Tensor kept = arange(vocabulary, ScalarType.Float64, probabilities.device).lt(topK)
            .logical_and_(cumulative.sub(ranked).lt(ofTopK.mul(topP)));
        Tensor least = ranked.gather(1, kept.sum(-1, keepdim: true).sub(1).clamp_min(0));
        Tensor free = topK.ge(vocabulary).logical_and(topP.ge(1));
        return probabilities.masked_fill(probabilities.lt(least).logical_and_(free.logical_not()), 0);
    }
}

/// <summary>Rows of the sampler's input.</summary>
internal enum DrawRow
{
    /// <summary>u in (0, 1).</summary>
    Uniform,

    /// <summary>τ &gt; 0; 1 where the most likely token is taken.</summary>
    Temperature,

    /// <summary>1 where the most likely token is taken, else 0.</summary>
    Greedy,

    /// <summary>k, from 1 to V.</summary>
    TopK,

    /// <summary>p in (0, 1].</summary>
    TopP,
}
