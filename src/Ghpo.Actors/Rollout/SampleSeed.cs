using Ghpo.Curriculum;

namespace Ghpo.Rollout;

/// <summary>
/// The seed of a group's sampling: a function of the run's seed, the group and the attempt, so that who samples it, when, and beside what
/// does not matter. The policy's version enters through the weights. Mixing: the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
/// </summary>
public static class SampleSeed
{
    public static ulong Of(long runSeed, GroupId group, int attempt)
    {
        ulong state = Mix(unchecked((ulong)runSeed));
        state = Mix(state ^ unchecked((uint)group.Step));
        state = Mix(state ^ unchecked((uint)group.Index));
        return Mix(state ^ unchecked((uint)attempt));
    }

    private static ulong Mix(ulong x)
    {
        unchecked
        {
            x += 0x9E3779B97F4A7C15;
            x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
            x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
            return x ^ (x >> 31);
        }
    }
}
