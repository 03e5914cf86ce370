using Ghpo.Node.Comparing;
using Spectre.Console;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class StatisticsTests
{
    /// <summary>Quantiles of Student's t as printed in every table (two-sided 95 % and 99 %).</summary>
    [Theory]
    [InlineData(0.95, 1, 12.706)]
    [InlineData(0.95, 2, 4.303)]
    [InlineData(0.95, 3, 3.182)]
    [InlineData(0.95, 4, 2.776)]
    [InlineData(0.95, 5, 2.571)]
    [InlineData(0.95, 9, 2.262)]
    [InlineData(0.95, 30, 2.042)]
    [InlineData(0.95, 120, 1.980)]
    [InlineData(0.99, 1, 63.657)]
    [InlineData(0.99, 4, 4.604)]
    [InlineData(0.99, 10, 3.169)]
    [InlineData(0.90, 7, 1.895)]
    public void Quantiles_of_Students_t_are_those_of_the_tables(double confidence, int degreesOfFreedom, double expected) =>
        Assert.Equal(expected, StudentT.TwoSidedQuantile(confidence, degreesOfFreedom), 0.0005);

    [Fact]
    public void The_interval_of_a_mean_is_worked_out_from_the_sample_deviation()
    {
        // Mean 3, sample deviation sqrt(10/4) = 1.5811, divided by sqrt(5): 0.7071; times t(4) = 2.7764: 1.9632.
        MeanEstimate estimate = MeanEstimate.Of([1, 2, 3, 4, 5]);
        Assert.Equal(3, estimate.Mean, 12);
        Assert.Equal(1.9632, estimate.Margin!.Value, 0.0001);
        Assert.Null(MeanEstimate.Of([0.5]).Margin);
    }

    [Fact]
    public void Strategies_are_compared_seed_by_seed_and_only_over_the_seeds_that_both_have()
    {
        TrialResult[] trials =
        [
            new("none", 1, 0.3, 0.40, 10, 100), new("none", 2, 0.3, 0.60, 10, 100), new("none", 3, 0.3, 0.50, 10, 100),
            new("ladder", 3, 0.3, 0.57, 8, 100), new("ladder", 1, 0.3, 0.45, 8, 100),
        ];
        ComparisonResult result = ComparisonResult.Of("test", 100, ["none", "ladder", "memory"], trials, ["ladder-seed-2"]);
        ArmDifference difference = Assert.Single(result.Differences);
        Assert.Equal("ladder", difference.Arm);
        Assert.Equal([0.05, 0.07], difference.BySeed.Order(), (expected, actual) => Math.Abs(expected - actual) < 1e-9);
        Assert.Equal(0.06, difference.Difference.Mean, 9);
        // Deviation 0.01414, divided by sqrt(2): 0.01; times t(1) = 12.706.
        Assert.Equal(0.12706, difference.Difference.Margin!.Value, 0.0001);
        Assert.Equal(["none", "ladder"], result.Arms.Select(arm => arm.Arm));

        string markdown = ComparisonReport.Markdown(result);
        Assert.Contains("| ladder | 0.450 | – | 0.570 | 0.510 |", markdown, StringComparison.Ordinal);
        Assert.Contains("ladder − none, paired by 2 seeds: +0.060", markdown, StringComparison.Ordinal);
        Assert.Contains("ladder-seed-2: no result", markdown, StringComparison.Ordinal);

        var printed = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(printed), Ansi = AnsiSupport.No });
        console.Profile.Width = 200;
        ComparisonReport.Print(result, console);
        Assert.Matches(@"0\.510\W+\[", printed.ToString());
        Assert.Contains("ladder − none, paired by 2 seeds: +0.060", printed.ToString(), StringComparison.Ordinal);
    }
}
