using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Problems;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Hints;

/// <summary>
/// The hint schedule as a fold over its events.
/// <para>A group that settled is kept under Released, so that a late duplicate is answered without a new event. It goes when no duplicate can
/// come any more: an event of step s shows that s has opened, which the learner allows only once all steps before s − η are committed, and
/// a step is committed after all its releases are noted.</para>
/// </summary>
/// <param name="Staleness">η, the steps by which sampling may lead learning.</param>
/// <param name="NewestStep">The highest step that an event was about; −1: none.</param>
/// <param name="Open">Groups that were given a hint and have not settled, at the level they are at. A group at ω = 0 needs no entry.</param>
/// <param name="Released">Groups that settled, at their last level; bounded as said above.</param>
/// <param name="Memory">Where each problem was last solved.</param>
public sealed record HintState(
    int Staleness,
    int NewestStep,
    ImmutableSortedDictionary<GroupId, GroupAttempt> Open,
    ImmutableSortedDictionary<GroupId, GroupAttempt> Released,
    ImmutableDictionary<ProblemId, ProblemMemory> Memory)
{
    /// <summary>Groups of steps before this one are committed and forgotten.</summary>
    public int Horizon => NewestStep - Staleness;

    public static HintState Empty(int staleness) => new(
        staleness,
        -1,
        ImmutableSortedDictionary<GroupId, GroupAttempt>.Empty,
        ImmutableSortedDictionary<GroupId, GroupAttempt>.Empty,
        ImmutableDictionary<ProblemId, ProblemMemory>.Empty);

    public HintState Apply(HintRaised raised) => Advance(raised.Group.Step) with
    {
        Open = Open.SetItem(raised.Group, new GroupAttempt(raised.Group, raised.Problem, raised.Attempt, raised.HintRatio, raised.TokensSpent)),
    };

    public HintState Apply(GroupReleased released)
    {
        if (IsReleased(released.Group))
        {
            return this;
        }

        HintState advanced = Advance(released.Group.Step);
        GroupAttempt last = Open.GetValueOrDefault(released.Group, new GroupAttempt(released.Group, released.Problem, 0, released.HintRatio));
        var solved = new SolvedAt(released.Group, released.HintRatio);
        return advanced with
        {
            Open = Open.Remove(released.Group),
            Released = advanced.Released.SetItem(released.Group, last),
            Memory = !released.Solved
                ? Memory
                : Memory.SetItem(
                    released.Problem,
                    Memory.TryGetValue(released.Problem, out ProblemMemory? memory) ? memory.With(solved) : new ProblemMemory(solved, null)),
        };
    }

    /// <summary>True if a further release of the group would be a duplicate.</summary>
    public bool IsReleased(GroupId group) => group.Step < Horizon || Released.ContainsKey(group);

    /// <summary>The level that the journal last put a group at; null where it holds none.</summary>
    public GroupAttempt? LevelOf(GroupId group) =>
        Open.TryGetValue(group, out GroupAttempt? open) ? open : Released.GetValueOrDefault(group);

    private HintState Advance(int step)
    {
        if (step <= NewestStep)
        {
            return this;
        }

        HintState advanced = this with { NewestStep = step };
        return advanced with { Released = Released.RemoveRange(Released.Keys.TakeWhile(group => group.Step < advanced.Horizon)) };
    }
}
