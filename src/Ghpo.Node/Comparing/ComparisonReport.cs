using System.Globalization;
using System.Text;
using System.Text.Json;
using Ghpo.Node.Reporting;
using ScottPlot;
using Spectre.Console;
using static Ghpo.Inspection.StepFigures;
using Color = ScottPlot.Color;

namespace Ghpo.Node.Comparing;

/// <summary>A comparison as a table, as Markdown, as JSON and as a plot.</summary>
internal static class ComparisonReport
{
    /// <summary>Writes comparison.md, .json and .png.</summary>
    public static void Write(ComparisonResult result, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "comparison.json"), JsonSerializer.Serialize(result, ComparisonJson.Default.ComparisonResult) + "\n");
        File.WriteAllText(Path.Combine(folder, "comparison.md"), Markdown(result));
        if (result.Arms.Count > 0)
        {
            Plot(result).SavePng(Path.Combine(folder, "comparison.png"), 700, 450);
        }
    }

    public static void Print(ComparisonResult result, IAnsiConsole console)
    {
        (string[] head, List<string[]> rows) = Cells(result);
        var table = new Table().Title($"held-out accuracy after {Count(result.TokenBudget)} sampled tokens");
        foreach (string title in head)
        {
            table.AddColumn(new TableColumn(new Text(title)));
        }

        foreach (string[] row in rows)
        {
            // As text: an interval's brackets are no markup.
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        console.Write(table);
        foreach (string line in Notes(result))
        {
            console.WriteLine(line);
        }
    }

    internal static string Markdown(ComparisonResult result)
    {
        (string[] head, List<string[]> rows) = Cells(result);
        var text = new StringBuilder($"# Comparison {result.Name}\n\nHeld-out accuracy after {Count(result.TokenBudget)} sampled tokens, ");
        text.Append("each seed; mean with 95 % confidence interval (Student's t).\n\n");
        text.Append("| ").AppendJoin(" | ", head).Append(" |\n|").AppendJoin("|", head.Select(_ => " --- ")).Append("|\n");
        foreach (string[] row in rows)
        {
            text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        }

        foreach (string line in Notes(result))
        {
            text.Append('\n').Append(line).Append('\n');
        }

        return text.Append(result.Arms.Count > 0 ? "\n![Held-out accuracy by strategy](comparison.png)\n" : "").ToString();
    }

    private static (string[] Head, List<string[]> Rows) Cells(ComparisonResult result)
    {
        long[] seeds = [.. result.Trials.Select(trial => trial.Seed).Distinct().Order()];
        string[] head = ["strategy", .. seeds.Select(seed => $"seed {seed}"), "mean", "95 % interval", "gain over the base model"];
        var rows = new List<string[]>();
        foreach (ArmResult arm in result.Arms)
        {
            Dictionary<long, TrialResult> bySeed = result.Trials.Where(trial => trial.Arm == arm.Arm).ToDictionary(trial => trial.Seed);
            rows.Add(
            [
                arm.Arm,
                .. seeds.Select(seed => bySeed.TryGetValue(seed, out TrialResult? trial) ? Figure(trial.After) : "–"),
                Figure(arm.After.Mean),
                Interval(arm.After),
                $"{Signed(arm.Gain.Mean)} {Interval(arm.Gain)}",
            ]);
        }

        return (head, rows);
    }

    private static IEnumerable<string> Notes(ComparisonResult result)
    {
        foreach (ArmDifference difference in result.Differences)
        {
            MeanEstimate mean = difference.Difference;
            yield return $"{difference.Arm} − {difference.Baseline}, paired by {mean.Count} seeds: {Signed(mean.Mean)}, "
                + $"95 % interval {Interval(mean)} ({string.Join(", ", difference.BySeed.Select(Signed))})";
        }

        foreach (string missing in result.Missing)
        {
            yield return $"{missing}: no result";
        }
    }

    private static Plot Plot(ComparisonResult result)
    {
        Plot plot = PlotFont.Use(new Plot());
        for (int i = 0; i < result.Arms.Count; i++)
        {
            ArmResult arm = result.Arms[i];
            plot.Add.Bar(new Bar
            {
                Position = i,
                Value = arm.After.Mean,
                Size = 0.6,
                Error = arm.After.Margin ?? 0,
                FillColor = Color.FromHex("#90a4ae"),
            });
            double[] after = [.. result.Trials.Where(trial => trial.Arm == arm.Arm).Select(trial => trial.After)];
            double[] beside = [.. after.Select((_, k) => i + 0.04 * (k - (after.Length - 1) / 2.0))];
            plot.Add.Markers(beside, after, MarkerShape.FilledCircle, 6, Color.FromHex("#2e7d32"));
        }

        double before = result.Trials.Average(trial => trial.Before);
        plot.Add.HorizontalLine(before, 1, Color.FromHex("#c62828"), LinePattern.Dashed).LegendText = "base model";
        plot.Axes.Bottom.SetTicks([.. result.Arms.Select((_, i) => (double)i)], [.. result.Arms.Select(arm => arm.Arm)]);
        plot.YLabel("held-out accuracy (mean, 95 % interval, seeds)");
        plot.Axes.SetLimitsX(-0.6, result.Arms.Count - 0.4);
        plot.Axes.SetLimitsY(0, Math.Min(1.02, 1.2 * result.Trials.Max(trial => Math.Max(trial.After, trial.Before)) + 0.05));
        plot.ShowLegend(Alignment.UpperLeft);
        return plot;
    }

    private static string Interval(MeanEstimate estimate) => estimate is { Low: { } low, High: { } high }
        ? $"[{Figure(low)}, {Figure(high)}]"
        : "(one seed: no interval)";

    private static string Signed(double number) => number.ToString("+0.000;-0.000;0.000", CultureInfo.InvariantCulture);
}
