using Ghpo.Problems;

namespace Ghpo.Rollout;

/// <summary>
/// Random numbers that are a function of their place instead of a generator's state: any of them can be drawn alone, in any order, anywhere.
/// It is SplitMix64's sequence entered at a place: once for the answer, and from there once for the position.
/// </summary>
public static class CounterRandom
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    /// <summary>
    /// Uniform in (0, 1), in steps of 2⁻⁴⁸ from 2⁻⁴⁹: so far from 1 that a product with a positive float64 is always less than it.
    /// </summary>
    /// <param name="answer">Index of the answer in its group.</param>
    /// <param name="position">Index of the token in its answer.</param>
    public static double Uniform(ulong seed, int answer, int position)
    {
        ulong perAnswer = SplitMix64.Mix(seed + GoldenGamma * ((ulong)answer + 1));
        ulong bits = SplitMix64.Mix(perAnswer + GoldenGamma * ((ulong)position + 1));
        return ((bits >> 16) + 0.5) * (1.0 / (1UL << 48));
    }
}
