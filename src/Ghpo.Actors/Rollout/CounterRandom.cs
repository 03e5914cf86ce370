namespace Ghpo.Rollout;

/// <summary>
/// Random numbers that are a function of their place instead of a generator's state: any of them can be drawn alone, in any order, anywhere.
/// The mixing is SplitMix64's (Steele, Lea and Flood 2014), applied once for the answer and once for the position.
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
        ulong perAnswer = Mix(seed + GoldenGamma * ((ulong)answer + 1));
        ulong bits = Mix(perAnswer + GoldenGamma * ((ulong)position + 1));
        return ((bits >> 16) + 0.5) * (1.0 / (1UL << 48));
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
