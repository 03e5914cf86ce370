using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Tests.Learning;
using Xunit;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Journal;

/// <summary>A step of one group that was raised twice, as three journals tell it, and what does not fit.</summary>
public sealed class NotesCheckTests
{
    private static readonly GroupId Group = new(0, 0);
    private static readonly ProblemId Problem = new("p0");
    private static readonly StepPlanned Plan = new(0, [new PlannedGroup(Group, Problem)]);
    private static readonly OutcomeRecorded Outcome = new(Group, Problem, Settlement.Solved, 0.5, 1, 2);
    private static readonly GroupReleased Release = new(Group, Problem, 0.5, true);
    private static readonly ImmutableArray<object> Hints = [new HintRaised(Group, Problem, 1, 0.25, 4), new HintRaised(Group, Problem, 2, 0.5, 10), Release];

    private static readonly ImmutableArray<object> Learner =
        [new EpochStarted(1, default), new GroupSettled(LearnerFixtures.Group(0, 0, attempt: 2, ratio: 0.5)), LearnerFixtures.Committed(0)];

    [Fact]
    public void Three_journals_that_agree_have_no_findings() => Assert.Empty(JournalCheck.Of([Plan, Outcome], Hints, Learner, 0));

    [Fact]
    public void A_hint_that_was_lost_is_found() => Finds("last raised to attempt 1 with 0.25", hints: Hints.RemoveAt(1));

    [Fact]
    public void An_attempt_left_out_is_found() => Finds("was raised to attempt 2 with 0.5 after nothing", hints: Hints.RemoveAt(0));

    [Fact]
    public void A_ratio_that_does_not_rise_is_found() =>
        Finds("was raised to attempt 2 with 0.25 after attempt 1 with 0.25", hints: Hints.SetItem(1, new HintRaised(Group, Problem, 2, 0.25, 10)));

    [Fact]
    public void Tokens_that_are_counted_otherwise_are_found() =>
        Finds("after 10 tokens, but was last raised to attempt 2 with 0.5 after 11 tokens", hints: Hints.SetItem(1, new HintRaised(Group, Problem, 2, 0.5, 11)));

    [Fact]
    public void A_hint_for_a_group_that_nobody_planned_is_found() =>
        Finds("group 0/1 was given a hint for p0, which was not planned", hints: Hints.Add(new HintRaised(new GroupId(0, 1), Problem, 1, 0.25, 0)));

    [Fact]
    public void A_hint_after_the_release_is_found() => Finds("given a hint after its release", hints: Hints.Add(new HintRaised(Group, Problem, 3, 0.75, 20)));

    [Fact]
    public void A_committed_group_that_was_not_released_is_found() => Finds("0/0 is trained on and was not released", hints: Hints.Remove(Release));

    [Fact]
    public void A_group_released_twice_is_found() => Finds("0/0 was released twice", hints: Hints.Add(Release));

    [Fact]
    public void A_release_that_says_otherwise_is_found() =>
        Finds("was released as p0 at 0.5, solved: False, but settled otherwise", hints: Hints.Replace(Release, Release with { Solved = false }));

    [Fact]
    public void A_committed_group_without_outcome_is_found() => Finds("0/0 is trained on without an outcome", curriculum: [Plan]);

    [Fact]
    public void An_outcome_that_says_otherwise_is_found() => Finds("another outcome than it settled with", curriculum: [Plan, Outcome with { Correct = 2 }]);

    [Fact]
    public void An_outcome_noted_twice_is_found() => Finds("0/0 has two outcomes", curriculum: [Plan, Outcome, Outcome]);

    [Fact]
    public void An_outcome_of_a_group_that_never_settled_is_found() =>
        Finds("group 0/0 has an outcome and has not settled", learner: Learner.RemoveAt(1));

    private static void Finds(
        string finding, ImmutableArray<object>? curriculum = null, ImmutableArray<object>? hints = null, ImmutableArray<object>? learner = null) =>
        Assert.Contains(
            JournalCheck.Of(curriculum ?? [Plan, Outcome], hints ?? Hints, learner ?? Learner, 0),
            found => found.Contains(finding, StringComparison.Ordinal));
}
