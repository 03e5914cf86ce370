using Ghpo.Configuration;
using Ghpo.Hints;
using Ghpo.Node.Comparing;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class ComparisonPlanTests
{
    [Fact]
    public void Every_strategy_runs_with_every_seed_on_the_same_budget_and_its_own_settings()
    {
        ComparisonPlan plan = ComparisonPlan.Make(
            "test", "runs", null, null, "none,ladder,short=ladder", "1,7", 5000, ["learning.rate=2e-4", "short:hints.levels=[0.25]", "ladder:learning.rate=3e-4"]);
        Assert.Equal(
            ["none-seed-1", "none-seed-7", "ladder-seed-1", "ladder-seed-7", "short-seed-1", "short-seed-7"], plan.Trials.Select(trial => trial.Name));
        Assert.All(plan.Trials, trial => Assert.Equal(5000, trial.Settings.Run.TokenBudget));
        Assert.Equal([2e-4, 2e-4, 3e-4, 3e-4, 2e-4, 2e-4], plan.Trials.Select(trial => trial.Settings.Learning.Rate));
        Assert.Equal([1, 7, 1, 7, 1, 7], plan.Trials.Select(trial => trial.Settings.Run.Seed));
        Assert.Equal(HintStrategy.None, plan.Trials[0].Settings.Hints.Strategy);
        Assert.Equal([0.25], plan.Trials[4].Settings.Hints.Levels);
        Assert.Equal(HintStrategy.Ladder, plan.Trials[4].Settings.Hints.Strategy);
    }

    [Theory]
    [InlineData("none,lader", "1", 5, "", "must be one of none, ladder, fixed, memory; did you mean ladder?")]
    [InlineData("none,none", "1", 5, "", "none is named twice")]
    [InlineData("none", "1,x", 5, "", "--seeds 1,x: x is not a whole number")]
    [InlineData("none", "1", 0, "", "--token-budget 0: must be above 0")]
    [InlineData("none", "1", 5, "lader:learning.rate=1", "there is no strategy lader here; there is none")]
    [InlineData("none", "1", 5, "evaluation.enabled=false", "ghpo.evaluation.enabled must be true")]
    [InlineData("none", "1", 5, "none:learning.rat=1", "--set none: learning.rat=1: unknown key ghpo.learning.rat; did you mean ghpo.learning.rate?")]
    public void What_cannot_be_compared_is_refused_before_anything_runs(string strategies, string seeds, long budget, string set, string expected)
    {
        UserErrorException error = Assert.Throws<UserErrorException>(
            () => ComparisonPlan.Make("test", "runs", null, null, strategies, seeds, budget, set.Length > 0 ? [set] : []));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
