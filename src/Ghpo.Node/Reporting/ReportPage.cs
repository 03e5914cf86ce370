using System.Globalization;
using System.Net;
using System.Text;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Runs;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Reporting;

/// <summary>The report of a run: plots as PNG, and one HTML page that holds everything, plots included, and loads nothing from anywhere.</summary>
internal static class ReportPage
{
    private const string Style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
        h1, h2 { font-weight: 600; }
        table { border-collapse: collapse; margin: 1rem 0; }
        td, th { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: left; }
        td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
        img { max-width: 100%; border: 1px solid #ddd; }
        pre { background: #f6f6f6; padding: 1rem; overflow: auto; }
        """;

    /// <summary>Writes plots and page from the run's files.</summary>
    /// <returns>Path of the page.</returns>
    public static string Write(RunFolder folder)
    {
        RunSummary run = RunSummary.Read(folder);
        IReadOnlyList<(string Title, string File)> plots = RunPlots.Write(run);
        File.WriteAllText(folder.ReportPage, Html(run, plots));
        return folder.ReportPage;
    }

    private static string Html(RunSummary run, IReadOnlyList<(string Title, string File)> plots)
    {
        var page = new StringBuilder();
        string name = Escape(run.Folder.Name);
        page.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>").Append(name).Append(" · ghpo</title>\n<style>\n")
            .Append(Style).Append("\n</style></head>\n<body>\n<h1>").Append(name).Append("</h1>\n");
        Facts(page, run);
        HeldOut(page, run);
        if (PlotFont.Advice is { } advice)
        {
            page.Append("<p>").Append(Escape(advice)).Append("</p>\n");
        }

        foreach ((string title, string file) in plots)
        {
            page.Append("<h2>").Append(Escape(title)).Append("</h2>\n<img alt=\"").Append(Escape(title)).Append("\" src=\"data:image/png;base64,")
                .Append(Convert.ToBase64String(File.ReadAllBytes(file))).Append("\">\n");
        }

        LastStep(page, run);
        page.Append("<h2>Settings</h2>\n<pre>").Append(Escape(SettingsWriter.Write(run.Settings))).Append("</pre>\n</body></html>\n");
        return page.ToString();
    }

    private static void Facts(StringBuilder page, RunSummary run)
    {
        GhpoSettings settings = run.Settings;
        StepReport? last = run.Steps.Count > 0 ? run.Steps[^1] : null;
        string outcome = run.Outcome switch
        {
            null => "still running, or killed",
            { Reason: { } reason } ended => $"{ended.Outcome}: {reason}",
            { } ended => ended.Outcome.ToString(),
        };
        Table(page, [], [
            ["Outcome", outcome],
            ["Strategy", SettingsSchema.Kebab(settings.Hints.Strategy.ToString())],
            ["Loss", SettingsSchema.Kebab(settings.Learning.Loss.ToString())],
            ["Model", settings.Model.Path],
            ["Problems", settings.Data.Source],
            ["Seed", settings.Run.Seed.ToString(CultureInfo.InvariantCulture)],
            ["Steps", $"{Count(run.Steps.Count)} of {Count(settings.Run.Steps)}"],
            ["Tokens sampled", Count(last?.TotalRolloutTokens ?? 0)],
            ["Of them at lower hint levels, and dropped", Count(run.Steps.Sum(step => step.ExtraTokens))],
            ["Hints shortened to fit the prompt", Count(run.Steps.Sum(step => step.HintsShortened))],
            ["Groups without a solution to hint with", Count(run.Steps.Sum(step => step.NoSolution))],
            ["Training time", Duration(run.TrainingTime)],
            ["Trained model", Directory.Exists(run.Folder.Model) ? run.Folder.Model : "none: the run is not complete"],
        ]);
    }

    private static void HeldOut(StringBuilder page, RunSummary run)
    {
        page.Append("<h2>Held-out accuracy</h2>\n");
        if (run.Before is not { } before || run.After is not { } after)
        {
            page.Append(run.Before is { } only
                ? $"<p>Before training: {Figure(only.Accuracy)}. Not measured afterwards.</p>\n"
                : "<p>Not measured.</p>\n");
            return;
        }

        Table(page, ["difficulty", "problems", $"before ({before.Version})", $"after ({after.Version})", "change"],
            [.. FinalTable.Rows(before, after).Select(row => new[]
            {
                row.Level, Count(row.Problems), Figure(row.Before), Figure(row.After), FinalTable.Change(row.After - row.Before),
            })]);
        if (run.Evaluations.Count > 2)
        {
            Table(page, ["version", "accuracy"], [.. run.Evaluations.Select(result => new[] { result.Version.ToString(), Figure(result.Accuracy) })]);
        }
    }

    private static void LastStep(StringBuilder page, RunSummary run)
    {
        if (run.Steps.Count == 0)
        {
            return;
        }

        StepReport step = run.Steps[^1];
        page.Append(CultureInfo.InvariantCulture, $"<h2>The last step ({step.Step})</h2>\n");
        Table(page, [], [
            ["Reward", Figure(step.MeanReward)],
            ["Accuracy", Figure(step.Accuracy)],
            .. step.Settlements().Select(part => new[] { (part.Name.EndsWith('%') ? "Groups solved at " : "Groups ") + part.Name, Percent(part.Share) }),
            .. step.Verdicts.Select(verdict => new[] { $"Answers {verdict.Verdict}", Count(verdict.Samples) }),
            ["Gradient norm", Figure(step.Learning.GradientNorm)],
            ["Entropy (nats)", Figure(step.Learning.Entropy)],
            ["Groups with zero advantage", Percent(step.Learning.ZeroAdvantageShare)],
        ]);
    }

    private static void Table(StringBuilder page, string[] head, IEnumerable<string[]> rows)
    {
        page.Append("<table>\n");
        // Under a heading stand numbers, without one words.
        string Cells(string[] row, string tag) =>
            string.Concat(row.Select((cell, i) => $"<{tag}{(i > 0 && head.Length > 0 ? " class=\"n\"" : "")}>{Escape(cell)}</{tag}>"));

        if (head.Length > 0)
        {
            page.Append("<tr>").Append(Cells(head, "th")).Append("</tr>\n");
        }

        foreach (string[] row in rows)
        {
            page.Append("<tr>").Append(Cells(row, "td")).Append("</tr>\n");
        }

        page.Append("</table>\n");
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
