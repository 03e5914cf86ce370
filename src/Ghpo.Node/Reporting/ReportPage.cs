using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Runs;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Reporting;

/// <summary>The report of a run, or of several beside each other: plots as PNG files, and one HTML page with everything, plots included.</summary>
internal static class ReportPage
{
    private const string Hidden = "(left out)";

    /// <summary>Of a run's journal, into its report folder.</summary>
    /// <returns>Path of the page.</returns>
    public static string Write(RunFolder folder) => Write([RunRecord.Open(folder.Root)], folder.Report);

    /// <returns>Path of the page.</returns>
    public static string Write(IReadOnlyList<RunRecord> runs, string folder)
    {
        string[] names = RunCharts.NamesOf(runs);
        var page = new Page(string.Join(", ", names));
        if (runs.Count == 1)
        {
            Facts(page, runs[0]);
            HeldOut(page, runs[0]);
        }
        else
        {
            Compared(page, runs, names);
        }

        Plots(page, RunCharts.Of(runs), folder);
        if (runs.Count == 1)
        {
            LastStep(page, runs[0]);
            Turns(page, runs[0]);
        }

        Settings(page, runs, names);
        string file = Path.Combine(Directory.CreateDirectory(folder).FullName, "index.html");
        File.WriteAllText(file, page.ToString());
        return file;
    }

    private static void Plots(Page page, IReadOnlyList<Chart> charts, string folder)
    {
        if (PlotFont.Advice is { } advice)
        {
            page.Text(advice);
        }

        if (charts.Any(chart => chart.Form == ChartForm.Lines && chart.Lines.Any(line => line.Points.Length > ChartDrawing.MostSinglePoints)))
        {
            page.Note($"A line of more than {ChartDrawing.MostSinglePoints} points is drawn faintly, and over it the mean of each hundredth of it; shares on top of each other are such means alone.");
        }

        foreach (Chart chart in charts)
        {
            page.Heading(chart.Title);
            foreach (string note in chart.Notes)
            {
                page.Note(note);
            }

            if (!chart.Lines.IsEmpty)
            {
                page.Image(chart.Title, ChartDrawing.Write(chart, folder));
            }
        }
    }

    private static void Facts(Page page, RunRecord run)
    {
        List<string[]> rows =
        [
            ["Journal", run.Place],
            ["Last written", run.Written is { } at ? $"{at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC" : "never"],
            ["Steps", run.Settings is { } settings ? $"{Count(run.Steps.Count)} of {Count(run.StepsSet ?? settings.Run.Steps)}" : Count(run.Steps.Count)],
        ];
        if (run.Settings is { } known)
        {
            rows.AddRange(
            [
                ["Strategy", SettingsSchema.Kebab(known.Hints.Strategy.ToString())],
                ["Loss", SettingsSchema.Kebab(known.Learning.Loss.ToString())],
                ["Model", known.Model.Path],
                ["Problems", known.Data.Source],
                ["Seed", known.Run.Seed.ToString(CultureInfo.InvariantCulture)],
            ]);
        }

        rows.AddRange(
        [
            ["Tokens sampled", Count(run.Last?.TotalRolloutTokens ?? 0)],
            ["Of them at lower hint levels, and dropped", Count(run.Steps.Sum(step => step.Report.ExtraTokens))],
            ["Hints shortened to fit the prompt", Count(run.Steps.Sum(step => step.Report.HintsShortened))],
            ["Groups without a solution to hint with", Count(run.Steps.Sum(step => step.Report.NoSolution))],
            ["Training time", Duration(run.TrainingTime)],
        ]);
        page.Table([], rows);
    }

    private static void HeldOut(Page page, RunRecord run)
    {
        page.Heading("Held-out accuracy");
        if (run.Before is not { } before || run.After is not { } after)
        {
            page.Text(run.Before is { } only ? $"Before training: {Figure(only.Accuracy)}. Not measured afterwards." : "Not measured.");
            return;
        }

        page.Table(["difficulty", "problems", $"before ({before.Version})", $"after ({after.Version})", "change"],
            FinalTable.Rows(before, after).Select(row => new[]
            {
                row.Level, Count(row.Problems), Figure(row.Before), Figure(row.After), FinalTable.Change(row.After - row.Before),
            }));
    }

    private static void Compared(Page page, IReadOnlyList<RunRecord> runs, string[] names)
    {
        string Shown(double? figure) => figure is { } known ? Figure(known) : "–";
        page.Table(["run", "steps", "tokens sampled", "training time", "reward", "accuracy", "held-out before", "after", "change"], runs.Select((run, i) => new[]
        {
            names[i], Count(run.Steps.Count), Count(run.Last?.TotalRolloutTokens ?? 0), Duration(run.TrainingTime), Shown(run.Last?.MeanReward), Shown(run.Last?.Accuracy),
            Shown(run.Before?.Accuracy), Shown(run.After?.Accuracy), run is { Before: { } before, After: { } after } ? FinalTable.Change(after.Accuracy - before.Accuracy) : "–",
        }));
        page.Note("Reward and accuracy are of the last step, at the hint level that each group settled at.");
    }

    private static void LastStep(Page page, RunRecord run)
    {
        if (run.Last is not { } step)
        {
            return;
        }

        page.Heading(string.Create(CultureInfo.InvariantCulture, $"The last step ({step.Step})"));
        page.Table([], [
            ["Reward", Figure(step.MeanReward)],
            ["Accuracy", Figure(step.Accuracy)],
            .. step.Settlements().Select(part => new[] { (part.Name.EndsWith('%') ? "Groups solved at " : "Groups ") + part.Name, Percent(part.Share) }),
            .. step.Verdicts.Select(verdict => new[] { $"Answers {verdict.Verdict}", Count(verdict.Samples) }),
            ["Gradient norm", Figure(step.Learning.GradientNorm)],
            ["Entropy (nats)", Figure(step.Entropy())],
            ["Groups with zero advantage", Percent(step.Learning.ZeroAdvantageShare)],
        ]);
    }

    private static void Turns(Page page, RunRecord run)
    {
        page.Heading("Sessions, orders and changes");
        page.Table(["written (UTC)", "before step", ""], run.Turns.Select(turn => new[]
        {
            turn.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), Count(turn.NextStep), turn.Text,
        }), words: 2);
    }

    private static void Settings(Page page, IReadOnlyList<RunRecord> runs, string[] names)
    {
        page.Heading(runs.Count == 1 ? "Settings" : "Settings that differ");
        foreach ((int i, RunRecord run) in runs.Index().Where(run => run.Item.Settings is null))
        {
            page.Note($"{names[i]}: no run.conf lies beside its journal, which holds only the settings that were changed later.");
        }

        if (runs is [{ Settings: { } only }])
        {
            page.Listing(SettingsWriter.Write(WithoutSecrets(only)));
            return;
        }

        (string Name, IReadOnlyDictionary<string, string> Values)[] known =
            [.. runs.Select((run, i) => (names[i], run.Settings)).Where(run => run.Settings is not null).Select(run => (run.Item1, SettingsWriter.Flat(WithoutSecrets(run.Settings!))))];
        if (known.Length > 1)
        {
            page.Table(["setting", .. known.Select(run => run.Name)], known[0].Values.Keys
                .Where(key => known.Any(run => run.Values[key] != known[0].Values[key]))
                .Select(key => new[] { key }.Concat(known.Select(run => run.Values[key])).ToArray()));
        }
    }

    /// <summary>A report is shown around: what opens a database or a port is not in it.</summary>
    private static GhpoSettings WithoutSecrets(GhpoSettings settings) => settings with
    {
        Journal = settings.Journal with { ConnectionString = settings.Journal.ConnectionString.Length > 0 ? Hidden : "" },
        Inspection = settings.Inspection with { Token = settings.Inspection.Token.Length > 0 ? Hidden : "" },
    };
}
