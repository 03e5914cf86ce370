using FsCheck;
using FsCheck.Fluent;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Journal;
using Ghpo.Problems;
using Xunit;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Tests.Hints;

public sealed class HintLadderTests
{
    private static readonly ProblemId Problem = new("p");

    [Theory]
    [InlineData(HintStrategy.None, new double[] { 0 })]
    [InlineData(HintStrategy.Ladder, new[] { 0, 0.25, 0.5, 0.75 })]
    [InlineData(HintStrategy.Fixed, new[] { 0, 0.6 })]
    [InlineData(HintStrategy.Memory, new[] { 0, 0.25, 0.5, 0.75 })]
    public void A_group_that_stays_hard_climbs_its_strategys_levels(HintStrategy strategy, double[] levels) =>
        Assert.Equal(levels, Climb(Settings(strategy), HintState.Empty(0), new GroupId(0, 0)));

    [Theory]
    [InlineData(0.75, new[] { 0.5, 0.75 })]
    [InlineData(0.5, new[] { 0.25, 0.5, 0.75 })]
    [InlineData(0.25, new[] { 0, 0.25, 0.5, 0.75 })]
    [InlineData(0, new[] { 0, 0.25, 0.5, 0.75 })]
    public void With_memory_a_group_starts_one_level_below_the_one_that_last_solved_its_problem(double solvedAt, double[] levels)
    {
        HintState state = HintState.Empty(0).Apply(new GroupReleased(new GroupId(0, 0), Problem, solvedAt, Solved: true));

        Assert.Equal(levels, Climb(Settings(HintStrategy.Memory), state, new GroupId(1, 0)));
    }

    [Fact]
    public void An_unsolved_group_leaves_the_memory_of_its_problem_as_it_was()
    {
        HintState state = HintState.Empty(0)
            .Apply(new GroupReleased(new GroupId(0, 0), Problem, 0.5, Solved: true))
            .Apply(new GroupReleased(new GroupId(1, 0), Problem, 0.75, Solved: false));

        Assert.Equal(0.25, HintLadder.Open(Settings(HintStrategy.Memory), state, new PlannedGroup(new GroupId(2, 0), Problem)).HintRatio);
    }

    [Fact]
    public void A_groups_start_does_not_depend_on_which_groups_of_its_own_step_settled_before_it()
    {
        HintState before = HintState.Empty(0).Apply(new GroupReleased(new GroupId(0, 0), Problem, 0.75, Solved: true));
        HintState after = before.Apply(new GroupReleased(new GroupId(1, 0), Problem, 0.25, Solved: true));
        var twin = new PlannedGroup(new GroupId(1, 1), Problem);

        Assert.Equal(0.5, HintLadder.Open(Settings(HintStrategy.Memory), before, twin).HintRatio);
        Assert.Equal(0.5, HintLadder.Open(Settings(HintStrategy.Memory), after, twin).HintRatio);
    }

    [Theory]
    [InlineData(HintStrategy.Ladder)]
    [InlineData(HintStrategy.Fixed)]
    [InlineData(HintStrategy.Memory)]
    public void In_a_cold_start_nobody_is_given_a_hint(HintStrategy strategy)
    {
        HintSettings settings = Settings(strategy) with { ColdStartSteps = 2 };
        HintState state = HintState.Empty(0).Apply(new GroupReleased(new GroupId(0, 0), Problem, 0.75, Solved: true));

        Assert.Equal([0], Climb(settings, state, new GroupId(1, 0)));
        Assert.True(Climb(settings, state, new GroupId(2, 0)).Length > 1);
    }

    [Fact]
    public void A_group_opened_again_goes_on_at_the_level_it_was_raised_to()
    {
        HintState state = HintState.Empty(0).Apply(new HintRaised(new GroupId(0, 0), Problem, 2, 0.5, 70));

        Assert.Equal(
            new GroupAttempt(new GroupId(0, 0), Problem, 2, 0.5, TokensSpent: 70),
            HintLadder.Open(Settings(HintStrategy.Ladder), state, new PlannedGroup(new GroupId(0, 0), Problem)));
    }

    [Fact]
    public void Releases_in_any_order_and_repeated_give_the_same_state() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            GroupReleased[] releases =
            [
                .. Enumerable.Range(0, 12).Select(index =>
                    new GroupReleased(new GroupId(3, index), new ProblemId($"p{index % 4}"), random.Next(4) / 4.0, random.Next(2) == 0)),
            ];
            GroupReleased[] shuffled = [.. releases, .. releases];
            random.Shuffle(shuffled);
            return Bytes(releases.Aggregate(HintState.Empty(1), (state, released) => state.Apply(released)))
                == Bytes(shuffled.Aggregate(HintState.Empty(1), (state, released) => state.Apply(released)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Released_groups_are_kept_for_as_many_steps_as_sampling_may_lead_and_known_for_ever()
    {
        HintState state = HintState.Empty(staleness: 2);
        for (int step = 0; step < 50; step++)
        {
            state = state.Apply(new HintRaised(new GroupId(step, 0), Problem, 1, 0.25, 9))
                .Apply(new GroupReleased(new GroupId(step, 0), Problem, 0.25, Solved: true));
        }

        Assert.Equal([47, 48, 49], state.Released.Keys.Select(group => group.Step));
        Assert.True(state.IsReleased(new GroupId(3, 0)));
        Assert.False(state.IsReleased(new GroupId(50, 0)));
        Assert.Empty(state.Open);
    }

    private static HintSettings Settings(HintStrategy strategy) => new(strategy, [0.25, 0.5, 0.75], 0.6, HintUnit.Characters, 0);

    /// <summary>The ratios a group is sampled at if it is never solved.</summary>
    private static double[] Climb(HintSettings settings, HintState state, GroupId group)
    {
        List<double> ratios = [];
        for (GroupAttempt? attempt = HintLadder.Open(settings, state, new PlannedGroup(group, Problem)); attempt is not null;
            attempt = HintLadder.Next(settings, attempt))
        {
            Assert.Equal(ratios.Count, attempt.Attempt);
            ratios.Add(attempt.HintRatio);
        }

        return [.. ratios];
    }

    private static string Bytes(HintState state) => Convert.ToHexString(new GhpoEventSerializer(null).ToBinary(state));
}
