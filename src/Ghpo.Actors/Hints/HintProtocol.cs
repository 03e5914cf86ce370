using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Problems;

namespace Ghpo.Hints;

/// <summary>What <c>HintScheduleActor</c> is told, answers, and writes to its journal.</summary>
public static class HintProtocol
{
    /// <summary>
    /// Asks at which level each group is to be sampled now: the level it was raised to if it is open already (a resumed run), else the
    /// level its problem starts at. Answered by <see cref="GroupsOpened"/>, in the same order.
    /// </summary>
    public sealed record OpenGroups(ImmutableArray<PlannedGroup> Groups);

    public sealed record GroupsOpened(ImmutableArray<GroupAttempt> Attempts);

    /// <summary>
    /// All answers of this attempt are wrong. Idempotent by group and attempt. Answered by <see cref="HintGiven"/> once it is in the
    /// journal, or by <see cref="LadderExhausted"/>.
    /// </summary>
    /// <param name="Tokens">Completion tokens that the failed attempt took.</param>
    public sealed record RaiseHint(GroupAttempt Failed, int Tokens);

    public sealed record HintGiven(GroupAttempt Next);

    public sealed record LadderExhausted(GroupId Group);

    /// <summary>A group has settled. Idempotent by group. Answered by <see cref="ReleaseNoted"/> once it is in the journal.</summary>
    public sealed record ReleaseGroup(GroupId Group, ProblemId Problem, double HintRatio, bool Solved);

    public sealed record ReleaseNoted(GroupId Group);

    /// <summary>Event. Persisted because an open group goes on at its level after a crash.</summary>
    /// <param name="TokensSpent">Completion tokens sampled for the group at lower levels.</param>
    public sealed record HintRaised(GroupId Group, ProblemId Problem, int Attempt, double HintRatio, int TokensSpent);

    /// <summary>Event. Persisted because a problem's memory shapes where its next ladder starts.</summary>
    public sealed record GroupReleased(GroupId Group, ProblemId Problem, double HintRatio, bool Solved);

    /// <summary>
    /// What the ladder is made of from some steps on, where users changed it. Told by the learner, whose journal holds the changes, before it opens a
    /// step; replaces what was told before. Not answered.
    /// </summary>
    public sealed record FollowSettings(ImmutableArray<HintSettingsFrom> Changes);

    /// <summary>Query, answered by <see cref="HintView"/>.</summary>
    public sealed record GetHints;

    /// <summary>Query, answered by <see cref="ProblemHintView"/>.</summary>
    public sealed record GetProblemHint(ProblemId Problem);

    /// <param name="Memory">Null: it was never solved.</param>
    public sealed record ProblemHintView(ProblemId Problem, ProblemMemory? Memory);

    public sealed record HintView(ImmutableArray<double> Levels, ImmutableArray<GroupAttempt> OpenGroups, int ProblemsRemembered);
}
