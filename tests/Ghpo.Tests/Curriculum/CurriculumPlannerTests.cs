using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;
using Xunit;
using static Ghpo.Curriculum.CurriculumProtocol;

namespace Ghpo.Tests.Curriculum;

public sealed class CurriculumPlannerTests
{
    [Fact]
    public void Every_problem_comes_once_in_a_pass_whatever_the_step_size() =>
        Prop.ForAll<long, byte, byte>((seed, problems, groups) =>
        {
            int count = (problems % 40) + 1;
            CurriculumPlanner planner = Planner(count, (groups % 50) + 1, seed);
            ProblemId[] drawn = [.. Plans(planner, 12).SelectMany(plan => plan.Groups).Select(group => group.Problem)];
            return drawn.Chunk(count).All(pass => pass.Distinct().Count() == pass.Length);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_plan_does_not_depend_on_outcomes()
    {
        CurriculumPlanner planner = Planner(7, 4, seed: 5);
        StepPlanned first = planner.Plan(CurriculumState.Empty);
        CurriculumState without = CurriculumState.Empty.Apply(first);
        CurriculumState with = first.Groups.Aggregate(without, (state, group) => state.Apply(Outcome(group.Group, group.Problem)));

        Assert.Equal(planner.Plan(without).Groups, planner.Plan(with).Groups);
    }

    [Fact]
    public void A_step_larger_than_the_data_set_repeats_problems_under_indexes_of_their_own()
    {
        StepPlanned plan = Planner(3, 8, seed: 1).Plan(CurriculumState.Empty);

        Assert.Equal(Enumerable.Range(0, 8), plan.Groups.Select(group => group.Group.Index));
        Assert.Equal([2, 3, 3], plan.Groups.GroupBy(group => group.Problem).Select(problem => problem.Count()).Order());
    }

    [Fact]
    public void Passes_and_seeds_have_orders_of_their_own()
    {
        ImmutableArray<int>[] orders = [Permutation.Of(1, 0, 50), Permutation.Of(1, 1, 50), Permutation.Of(2, 0, 50), Permutation.Of(0, 1, 50)];

        Assert.Equal(4, orders.Select(order => string.Join(' ', order)).Distinct().Count());
    }

    [Fact]
    public void The_order_of_a_seed_and_pass_is_the_same_for_good() =>
        Assert.Equal([9, 3, 0, 4, 8, 1, 6, 5, 2, 7], Permutation.Of(17, 3, 10));

    [Fact]
    public void All_orders_of_three_are_about_equally_frequent()
    {
        int[] frequencies = [.. Enumerable.Range(0, 6000).GroupBy(seed => string.Join(' ', Permutation.Of(seed, 0, 3))).Select(order => order.Count())];

        Assert.Equal(6, frequencies.Length);
        Assert.All(frequencies, frequency => Assert.InRange(frequency, 880, 1120));
    }

    [Fact]
    public void Outcomes_in_any_order_and_repeated_give_the_same_state() =>
        Prop.ForAll<int>(seed =>
        {
            StepPlanned plan = Planner(3, 8, seed: 1).Plan(CurriculumState.Empty);
            CurriculumState planned = CurriculumState.Empty.Apply(plan);
            OutcomeRecorded[] outcomes = [.. plan.Groups.Select(group => Outcome(group.Group, group.Problem))];
            OutcomeRecorded[] shuffled = [.. outcomes, .. outcomes];
            new Random(seed).Shuffle(shuffled);
            return Bytes(outcomes.Aggregate(planned, (state, outcome) => state.Apply(outcome)))
                == Bytes(shuffled.Aggregate(planned, (state, outcome) => state.Apply(outcome)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_closed_step_is_forgotten_but_its_problems_are_not()
    {
        StepPlanned plan = Planner(3, 2, seed: 1).Plan(CurriculumState.Empty);
        CurriculumState closed = CurriculumState.Empty.Apply(plan).Apply(Outcome(plan.Groups[0].Group, plan.Groups[0].Problem)).Close(0);

        Assert.Empty(closed.Open);
        Assert.True(closed.HasOutcome(plan.Groups[1].Group));
        ProblemStatistics statistics = closed.Problems[plan.Groups[0].Problem];
        Assert.Equal((1, 3L, 4L, 0.25), (statistics.Seen, statistics.Correct, statistics.Judged, statistics.LastHintRatio));
    }

    private static CurriculumPlanner Planner(int problems, int groups, long seed) => new(
        new CurriculumSettings(groups, ProblemOrder.Shuffled), seed, [.. Enumerable.Range(0, problems).Select(index => new ProblemId($"p{index}"))]);

    private static IEnumerable<StepPlanned> Plans(CurriculumPlanner planner, int steps)
    {
        CurriculumState state = CurriculumState.Empty;
        for (int step = 0; step < steps; step++)
        {
            StepPlanned plan = planner.Plan(state);
            state = state.Apply(plan);
            yield return plan;
        }
    }

    private static OutcomeRecorded Outcome(GroupId group, ProblemId problem) =>
        new(group, problem, Settlement.Solved, 0.25, 3, 4);

    private static string Bytes(CurriculumState state) => Convert.ToHexString(new GhpoEventSerializer(null).ToBinary(state));
}
