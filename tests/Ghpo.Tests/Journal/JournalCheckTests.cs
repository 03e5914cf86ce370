using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Tests.Learning;
using Xunit;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Journal;

public sealed class JournalCheckTests
{
    private static readonly ImmutableArray<object> Plans = [Plan(0), Plan(1)];

    private static readonly ImmutableArray<object> Sound =
    [
        new EpochStarted(1, default),
        Settled(0, 1),
        Settled(0, 0),
        LearnerFixtures.Committed(0),
        new CheckpointTaken(1, "c", "h"),
        new EpochStarted(2, default),
        Settled(1, 0, epoch: 2),
        Settled(1, 1, epoch: 2),
        LearnerFixtures.Committed(1),
    ];

    [Fact]
    public void A_sound_journal_has_no_findings() => Assert.Empty(JournalCheck.Of(Plans, Sound, 0));

    [Fact]
    public void A_group_left_out_is_found() => Finds("committed without group 0/1", Sound.RemoveAt(1));

    [Fact]
    public void A_group_settled_twice_is_found() => Finds("group 0/0 settled twice", Sound.Insert(2, Settled(0, 0)));

    [Fact]
    public void A_step_committed_twice_is_found() => Finds("step 0 was committed where step 1 was due", Sound.Insert(4, LearnerFixtures.Committed(0)));

    [Fact]
    public void A_step_left_out_is_found() => Finds("step 1 was committed where step 0 was due", Sound.RemoveAt(3));

    [Fact]
    public void An_epoch_that_does_not_rise_is_found() => Finds("epoch 1 follows epoch 1", Sound.SetItem(5, new EpochStarted(1, default)));

    [Fact]
    public void A_group_of_a_stale_epoch_is_found() => Finds("group 1/0 of epoch 1 settled in epoch 2", Sound.SetItem(6, Settled(1, 0, epoch: 1)));

    [Fact]
    public void A_group_of_a_stale_policy_is_found() => Finds(
        "group 1/0 was sampled under v0",
        Sound.SetItem(6, new GroupSettled(LearnerFixtures.Group(1, 0, version: 0, epoch: 2))));

    [Fact]
    public void A_group_with_another_problem_than_planned_is_found() => Finds(
        "planned with problem p0 and settled with other",
        Sound.SetItem(2, new GroupSettled(LearnerFixtures.Group(0, 0) with { Problem = new ProblemId("other") })));

    [Fact]
    public void A_checkpoint_of_uncommitted_steps_is_found() => Finds("checkpoint c was taken with 1 steps", Sound.SetItem(4, new CheckpointTaken(2, "c", "h")));

    [Fact]
    public void A_group_that_its_step_was_planned_without_is_found() =>
        Finds("group 1/7 settled, but step 1 was planned without it", Sound.Insert(7, Settled(1, 7, epoch: 2)));

    [Fact]
    public void A_step_left_out_of_the_plans_is_found() => Assert.Contains(
        JournalCheck.Of([Plan(0), Plan(2)], Sound, 0), found => found == "step 2 was planned where step 1 was due");

    [Fact]
    public void Groups_whose_tokens_are_pruned_count_as_settled() => Assert.Empty(JournalCheck.Of(
        Plans, Sound.Select(fact => fact is GroupSettled settled ? new GroupPruned(GroupFacts.Of(settled.Group)) : fact), 0));

    private static void Finds(string finding, ImmutableArray<object> learner) =>
        Assert.Contains(JournalCheck.Of(Plans, learner, 0), found => found.Contains(finding, StringComparison.Ordinal));

    private static StepPlanned Plan(int step) => new(
        step, [.. Enumerable.Range(0, 2).Select(index => new PlannedGroup(new GroupId(step, index), new ProblemId($"p{index}")))]);

    private static GroupSettled Settled(int step, int index, long epoch = 1) =>
        new(LearnerFixtures.Group(step, index, step, epoch: epoch));
}
