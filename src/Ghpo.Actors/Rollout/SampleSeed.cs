using Ghpo.Curriculum;
using Ghpo.Problems;

namespace Ghpo.Rollout;

/// <summary>
/// The seed of a group's sampling: a function of the run's seed, the group and the attempt, so that who samples it, when, and beside what
/// does not matter. The policy's version enters through the weights.
/// </summary>
public static class SampleSeed
{
    public static ulong Of(long runSeed, GroupId group, int attempt)
    {
        // A constant in every word keeps zeros from mixing to zero.
        const ulong Offset = 0x9E3779B97F4A7C15;
        ulong state = SplitMix64.Mix(unchecked((ulong)runSeed + Offset));
        state = SplitMix64.Mix(unchecked((state ^ (uint)group.Step) + Offset));
        state = SplitMix64.Mix(unchecked((state ^ (uint)group.Index) + Offset));
        return SplitMix64.Mix(unchecked((state ^ (uint)attempt) + Offset));
    }
}
