using System.Collections.Immutable;
using Ghpo.Problems;

namespace Ghpo.Curriculum;

/// <summary>
/// A permutation of 0 … count − 1 that depends on (seed, pass) alone: Fisher–Yates over <see cref="SplitMix64"/>, every order equally likely.
/// </summary>
internal static class Permutation
{
    internal static ImmutableArray<int> Of(long seed, int pass, int count)
    {
        // Mixed twice: the streams of neighbouring seeds and passes must not be shifted copies of each other.
        var random = new SplitMix64(SplitMix64.Mix(SplitMix64.Mix(unchecked((ulong)seed)) + (ulong)pass + 1));
        int[] order = [.. Enumerable.Range(0, count)];
        for (int last = count - 1; last > 0; last--)
        {
            int other = random.Below(last + 1);
            (order[last], order[other]) = (order[other], order[last]);
        }

        return ImmutableArray.Create(order);
    }
}
