using System.Collections.Immutable;

namespace Ghpo.Curriculum;

/// <summary>
/// A permutation of 0 … count − 1 that depends on (seed, pass) alone, on every machine and .NET version: Fisher–Yates over SplitMix64
/// (Steele, Lea, Flood 2014), with bounded draws by multiplication and rejection (Lemire 2019), so every order is equally likely.
/// </summary>
internal static class Permutation
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    internal static ImmutableArray<int> Of(long seed, int pass, int count)
    {
        // Two mixing rounds: neighbouring seeds and neighbouring passes must not start neighbouring streams.
        ulong state = Mix(Mix(unchecked((ulong)seed) + GoldenGamma) + (ulong)pass + 1);
        int[] order = [.. Enumerable.Range(0, count)];
        for (int last = count - 1; last > 0; last--)
        {
            int other = (int)Below((ulong)last + 1, ref state);
            (order[last], order[other]) = (order[other], order[last]);
        }

        return ImmutableArray.Create(order);
    }

    /// <summary>A uniform draw from [0, bound).</summary>
    private static ulong Below(ulong bound, ref ulong state)
    {
        ulong rejected = unchecked(0 - bound) % bound;
        while (true)
        {
            ulong high = Math.BigMul(Next(ref state), bound, out ulong low);
            if (low >= rejected)
            {
                return high;
            }
        }
    }

    private static ulong Next(ref ulong state) => Mix(state += GoldenGamma);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
