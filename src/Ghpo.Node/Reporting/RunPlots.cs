using Ghpo.Inspection;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Ghpo.Node.Reporting;

/// <summary>The plots of a run's report, as PNG files in its report folder.</summary>
internal static class RunPlots
{
    private const int Width = 900;
    private const int Height = 420;

    /// <summary>From green (solved without help) to red (not solved): what is far from the paper's goal stands out.</summary>
    private static readonly string[] LevelColors = ["#2e7d32", "#7cb342", "#fbc02d", "#fb8c00", "#8d6e63", "#5c6bc0", "#26a69a", "#ab47bc"];

    /// <summary>Draws every plot that the run has data for.</summary>
    /// <returns>Title and file of each.</returns>
    public static IReadOnlyList<(string Title, string File)> Write(RunSummary run)
    {
        Directory.CreateDirectory(run.Folder.Report);
        var plots = new List<(string, string)>();
        void Add(string title, string name, Plot plot)
        {
            string file = Path.Combine(run.Folder.Report, name + ".png");
            plot.SavePng(file, Width, Height);
            plots.Add((title, file));
        }

        if (run.Steps.Count > 0)
        {
            Add("Reward and accuracy", "reward", Lines(run.Steps, "share",
                ("reward", step => step.MeanReward), ("accuracy", step => step.Accuracy),
                ("accuracy without hint", step => step.UnhintedAccuracy), ("accuracy with hint", step => step.HintedAccuracy),
                ("solved without hint (groups)", step => step.FirstAttemptSolved)));
            Add("Where groups settled", "settled", Settled(run.Steps));
            Add("Gradient norm", "gradient-norm", Lines(run.Steps, "L2 norm before clipping", ("gradient norm", step => step.Learning.GradientNorm)));
            Add("Tokens per second", "tokens", Lines(run.Steps, "tokens/s",
                ("rollout (sampled)", step => step.RolloutTokensPerSecond()), ("learner (processed)", step => step.LearnerTokensPerSecond())));
            Add("Length of trained answers", "length", Lines(run.Steps, "tokens", ("mean completion", step => step.MeanCompletionTokens)));
        }

        if (run.Before is { } before && run.After is { } after)
        {
            Add("Held-out accuracy before and after", "held-out", HeldOut([.. FinalTable.Rows(before, after)]));
        }

        return plots;
    }

    private static Plot Lines(IReadOnlyList<StepReport> steps, string unit, params (string Name, Func<StepReport, double?> Value)[] lines)
    {
        Plot plot = Framed("step", unit);
        plot.Axes.Bottom.TickGenerator = WholeNumbers();
        foreach ((string name, Func<StepReport, double?> value) in lines)
        {
            StepReport[] known = [.. steps.Where(step => value(step) is { } y && double.IsFinite(y))];
            if (known.Length > 0)
            {
                var scatter = plot.Add.Scatter(known.Select(step => (double)step.Step).ToArray(), known.Select(step => value(step)!.Value).ToArray());
                scatter.LegendText = name;
                scatter.LineWidth = 1.5f;
                scatter.MarkerSize = known.Length == 1 ? 6 : 0;
            }
        }

        plot.ShowLegend(Alignment.UpperLeft);
        return plot;
    }

    /// <summary>Stacked shares of a step's groups: solved at each hint ratio, then the rest.</summary>
    private static Plot Settled(IReadOnlyList<StepReport> steps)
    {
        Plot plot = Framed("step", "share of groups");
        plot.Axes.Bottom.TickGenerator = WholeNumbers();
        // By rising hint ratio over all steps; the order in which levels were first used says nothing.
        string[] levels = [.. steps.SelectMany(step => step.Settled).Select(settled => settled.HintRatio).Distinct().Order().Select(StepFigures.Percent)];
        string[] names = [.. levels.Union(steps.SelectMany(step => step.Settlements()).Select(part => part.Name))];
        double[] x = [.. steps.Select(step => (double)step.Step)];
        double[] below = new double[steps.Count];
        int level = 0;
        foreach (string name in names)
        {
            double[] above = [.. steps.Select((step, i) => below[i] + step.Settlements().FirstOrDefault(part => part.Name == name).Share)];
            var fill = plot.Add.FillY(x, below, above);
            fill.FillColor = Color.FromHex(name == "unsolved" ? "#c62828" : LevelColors[level++ % LevelColors.Length]);
            fill.LineWidth = 0;
            fill.LegendText = name;
            below = above;
        }

        plot.Axes.SetLimitsY(0, 1);
        plot.ShowLegend(Edge.Right);
        return plot;
    }

    private static Plot HeldOut(IReadOnlyList<(string Level, int Problems, double Before, double After)> rows)
    {
        Plot plot = Framed("difficulty", "accuracy");
        for (int i = 0; i < rows.Count; i++)
        {
            plot.Add.Bar(new Bar { Position = i - 0.2, Value = rows[i].Before, Size = 0.36, FillColor = Color.FromHex("#90a4ae") });
            plot.Add.Bar(new Bar { Position = i + 0.2, Value = rows[i].After, Size = 0.36, FillColor = Color.FromHex("#2e7d32") });
        }

        plot.Axes.Bottom.SetTicks([.. rows.Select((_, i) => (double)i)], [.. rows.Select(row => row.Level)]);
        plot.Axes.SetLimits(-0.6, rows.Count - 0.4, 0, 1.02);
        plot.Legend.ManualItems.Add(new LegendItem { LabelText = "before", FillColor = Color.FromHex("#90a4ae") });
        plot.Legend.ManualItems.Add(new LegendItem { LabelText = "after", FillColor = Color.FromHex("#2e7d32") });
        plot.ShowLegend(Edge.Right);
        return plot;
    }

    private static NumericAutomatic WholeNumbers() => new() { IntegerTicksOnly = true };

    private static Plot Framed(string x, string y)
    {
        Plot plot = PlotFont.Use(new Plot());
        plot.XLabel(x);
        plot.YLabel(y);
        return plot;
    }
}
