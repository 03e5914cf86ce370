using System.Text.RegularExpressions;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Node.Commands;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using SkiaSharp;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary>Reports from journals alone.</summary>
public sealed class ReportTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public async Task A_real_run_of_which_only_the_journal_is_left_gives_a_report_of_all_that_it_measured()
    {
        using var tiny = new TinyRun();
        (int exitCode, string output, string error) = await tiny.Train("--set", "run.steps=2", "--set", "data.arithmetic.held-out-problems=4");
        Assert.True(exitCode == ExitCodes.Success, output + error);
        string lonely = Directory.CreateDirectory(Path.Combine(_temporary.Path, "lonely")).FullName;
        // With its write-ahead log, which this process has not let go of yet.
        foreach (string file in Directory.GetFiles(Path.Combine(tiny.Runs, "tiny"), "journal.db*"))
        {
            File.Copy(file, Path.Combine(lonely, Path.GetFileName(file)));
        }

        (exitCode, output, error) = await TinyRun.Run("report", lonely);

        Assert.True(exitCode == ExitCodes.Success, output + error);
        Assert.Contains($"report: {Path.Combine(lonely, "report", "index.html")}", output, StringComparison.Ordinal);
        RunRecord run = RunRecord.Open(lonely);
        Assert.Equal(
            MetricsFiles.ReadSteps(RunFolder.Open(Path.Combine(tiny.Runs, "tiny"))).Select(Text), run.Steps.Select(step => Text(step.Report)));
        StepOrigin origin = run.Steps[1].Report.Origin!;
        Assert.Equal((0.0, 0, 1), (origin.MeanStaleness, origin.MostStaleness, origin.Workers));
        Assert.Equal(4, origin.Levels.Sum(level => level.Problems));
        Assert.All(origin.Levels, level => Assert.Matches("^[0-9]+$", level.Level));
        Assert.Equal(2, run.Evaluations.Count);

        Chart[] charts = [.. RunCharts.Of([run])];
        Assert.Equal(
            ["reward", "difficulty", "held-out", "settled", "unsolved", "length", "gradient-norm", "entropy", "tokens", "staleness", "workers"], charts.Select(chart => chart.Name));
        // So short a run may have had no group with an advantage.
        bool trained = run.Steps.Any(step => step.Report.Entropy() is not null);
        Assert.Equal(trained ? [] : new[] { "entropy" }, charts.Where(chart => chart.Lines.IsEmpty).Select(chart => chart.Name));
        Assert.All(charts, chart => Assert.Equal(chart.Lines.IsEmpty, chart.Notes.Length > 0));
        Chart[] drawn = [.. charts.Where(chart => !chart.Lines.IsEmpty)];
        Assert.All(drawn, chart => AssertOpens(Path.Combine(lonely, "report", chart.Name + ".png")));
        string page = await File.ReadAllTextAsync(Path.Combine(lonely, "report", "index.html"), TestContext.Current.CancellationToken);
        AssertHoldsEverythingItself(page, drawn.Length);
        Assert.Contains("no run.conf lies beside its journal", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_runs_are_lines_of_the_same_plots_each_in_its_color()
    {
        string one = Recorded("one", 5, "learning.rate=1e-4");
        string two = Recorded("two", 3, "learning.rate=2e-4");
        string into = Path.Combine(_temporary.Path, "both");

        (int exitCode, string output, string error) = await TinyRun.Run("report", one, two, "--out", into);

        Assert.True(exitCode == ExitCodes.Success, output + error);
        Assert.Contains("two: held-out accuracy", output, StringComparison.Ordinal);
        IReadOnlyList<Chart> charts = RunCharts.Of([RunRecord.Open(one), RunRecord.Open(two)]);
        Assert.All(charts, chart => Assert.Equal([("one", 0), ("two", 1)], chart.Lines.Select(line => (line.Name, line.Color))));
        Chart entropy = Assert.Single(charts, chart => chart.Name == "entropy");
        Assert.Equal([5, 3], entropy.Lines.Select(line => line.Points.Length));
        Chart hard = Assert.Single(charts, chart => chart.Title == "Accuracy by difficulty, in training: difficulty 10");
        Assert.Equal([(0, 0), (1, 0.01), (2, 0.02)], hard.Lines[1].Points);
        Assert.Equal(
            ["solved at 0 %", "solved at 25 %", "solved at 50 %", "solved at 75 %", "unsolved"],
            charts.Where(chart => chart.Title.StartsWith("Where groups settled: ", StringComparison.Ordinal)).Select(chart => chart.Title["Where groups settled: ".Length..]));
        // An epoch, an evaluation, and then a step every quarter of an hour.
        Assert.Equal([30, 45, 60.0], Assert.Single(charts, chart => chart.Name == "workers").Lines[1].Points.Select(point => point.X));

        Assert.All(charts, chart => AssertOpens(Path.Combine(into, chart.Name + ".png")));
        string page = await File.ReadAllTextAsync(Path.Combine(into, "index.html"), TestContext.Current.CancellationToken);
        AssertHoldsEverythingItself(page, charts.Count);
        Assert.Contains("<td>ghpo.learning.rate</td><td class=\"n\">0.0001</td><td class=\"n\">0.0002</td>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("ghpo.learning.loss", page, StringComparison.Ordinal);
    }

    [Fact]
    public void What_an_older_journal_does_not_hold_is_absent_with_a_note_and_what_it_holds_is_there()
    {
        string old = Recorded("old", 3, alter: step => step with { Origin = null });
        string older = Recorded("older", 3, alter: step => step.Step < 2 ? step with { Origin = null } : step);

        Chart[] alone = [.. RunCharts.Of([RunRecord.Open(old)])];
        foreach (string name in new[] { "difficulty", "staleness", "workers" })
        {
            Chart chart = Assert.Single(alone, chart => chart.Name == name);
            Assert.Empty(chart.Lines);
            Assert.Equal(["old: not in its journal, which was written before this was measured."], chart.Notes);
        }

        Assert.Equal(3, Assert.Single(alone, chart => chart.Name == "entropy").Lines[0].Points.Length);
        IReadOnlyList<Chart> both = RunCharts.Of([RunRecord.Open(old), RunRecord.Open(older)]);
        Chart staleness = Assert.Single(both, chart => chart.Title == "Staleness of the groups: mean");
        Assert.Equal(["older"], staleness.Lines.Select(line => line.Name));
        Assert.Equal([(2, 0.25)], staleness.Lines[0].Points);
        Assert.Contains("older: in its journal from step 2 on; earlier steps were written before this was measured.", staleness.Notes);

        string page = File.ReadAllText(ReportPage.Write([RunRecord.Open(old)], Path.Combine(_temporary.Path, "report")));
        AssertHoldsEverythingItself(page, 8);
        Assert.Contains("written before this was measured", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_journal_without_a_step_a_line_of_many_points_and_runs_of_one_name_are_drawn_too()
    {
        string fresh = Recorded("a/same", 0);
        string many = Recorded("b/same", 700);

        Assert.Contains("same: no step is committed.", RunCharts.Of([RunRecord.Open(fresh)]).Single(chart => chart.Name == "entropy").Notes);
        RunRecord[] runs = [RunRecord.Open(fresh), RunRecord.Open(many)];
        Assert.Equal([$"same ({fresh}/journal.db)", $"same ({many}/journal.db)"], RunCharts.NamesOf(runs));
        string page = File.ReadAllText(ReportPage.Write(runs, Path.Combine(_temporary.Path, "report")));
        Assert.Contains("A line of more than 300 points is drawn faintly", page, StringComparison.Ordinal);
        AssertOpens(Path.Combine(_temporary.Path, "report", "entropy.png"));
    }

    [Fact]
    public void Orders_changes_and_sessions_are_listed_and_secrets_are_not()
    {
        string folder = Recorded("steered", 2, "inspection.token=open-sesame", events:
        [
            new LearnerProtocol.ControlApplied(2, "ghpo.learning.rate", "0.001", "me@here", DateTimeOffset.UnixEpoch),
            new LearnerProtocol.ControlApplied(2, "ghpo.run.steps", "1234", "me@here", DateTimeOffset.UnixEpoch),
            new LearnerProtocol.ControlApplied(2, "ghpo.inspection.token", "sesame-too", "me@here", DateTimeOffset.UnixEpoch),
            new SteeringProtocol.RunSteered(RunOrder.Pause, 2, "you@there", DateTimeOffset.UnixEpoch),
            new SteeringProtocol.MemberSteered(MemberOrder.Drain, "w1", 2, "you@there", DateTimeOffset.UnixEpoch),
            new LearnerProtocol.EpochStarted(2, DateTimeOffset.UnixEpoch),
        ]);

        string page = File.ReadAllText(ReportPage.Write(RunFolder.Open(folder)));

        Assert.Contains("ghpo.learning.rate = 0.001 from step 2 on, by me@here", page, StringComparison.Ordinal);
        Assert.Contains("drain of w1 ordered before the commit of step 2, by you@there", page, StringComparison.Ordinal);
        Assert.Contains("pause ordered before the commit of step 2, by you@there", page, StringComparison.Ordinal);
        Assert.Contains("<td>Steps</td><td>2 of 1,234</td>", page, StringComparison.Ordinal);
        Assert.Contains("ghpo.inspection.token = (left out) from step 2 on", page, StringComparison.Ordinal);
        Assert.Contains("<td class=\"n\">2</td><td>epoch 2 begins</td>", page, StringComparison.Ordinal);
        Assert.Contains("token = &quot;(left out)&quot;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_that_trained_on_nothing_leaves_a_gap_in_the_entropy_and_not_a_zero()
    {
        string folder = Recorded("gap", 3, alter: step => step.Step == 1 ? step with { Learning = step.Learning with { Entropy = 0, ProcessedTokens = 0 } } : step);
        Chart entropy = RunCharts.Of([RunRecord.Open(folder)]).Single(chart => chart.Name == "entropy");
        Assert.Equal([0, 2.0], entropy.Lines[0].Points.Select(point => point.X));
    }

    [Fact]
    public async Task A_place_where_no_report_can_be_written_is_named_with_the_way_out()
    {
        string run = Recorded("unwritten", 1);
        string file = Path.Combine(_temporary.Path, "a-file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        (int exitCode, _, string error) = await TinyRun.Run("report", run, "--out", file);
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains($"{file}: the report cannot be written there", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nowhere", "nowhere: no such run")]
    [InlineData("Host=127.0.0.1;Port=1;Database=gone;Timeout=1", "The journal at postgresql://127.0.0.1:1/gone cannot be read")]
    [InlineData("Hots=x", "cannot be read")]
    public async Task A_report_of_what_is_not_there_is_refused(string run, string expected)
    {
        (int exitCode, _, string error) = await TinyRun.Run("report", run, "--out", Path.Combine(_temporary.Path, "none"));
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_temporary.Path, "none")));
    }

    private string Recorded(string name, int steps, string? set = null, Func<StepReport, StepReport>? alter = null, IEnumerable<object>? events = null)
    {
        string parent = Path.GetDirectoryName(Path.Combine(_temporary.Path, name))!;
        SettingOverride[] overrides =
            [new("run.name", Path.GetFileName(name), ""), new("run.folder", parent, ""), .. set is null ? [] : new[] { SettingOverride.Parse(set) }];
        RunFolder folder = RunFolder.Create(SettingsBinder.Load(null, overrides), DateTimeOffset.UnixEpoch);
        IEnumerable<object> told = steps > 0 ? RecordedRun.Events(steps) : [new LearnerProtocol.EpochStarted(1, DateTimeOffset.UnixEpoch)];
        JournalFile.Write(folder.Journal, told.Select(one => alter is not null && one is LearnerProtocol.StepCommitted committed ? committed with { Report = alter(committed.Report) } : one)
            .Concat(events ?? []));
        return folder.Root;
    }

    private static string Text(StepReport step) => System.Text.Json.JsonSerializer.Serialize(step, MetricsJson.Default.StepReport);

    /// <summary>It is an image of the right size, and more than one color is in it.</summary>
    private static void AssertOpens(string png)
    {
        using SKBitmap image = SKBitmap.Decode(png);
        Assert.Equal((ChartDrawing.Width, ChartDrawing.Height), (image.Width, image.Height));
        Assert.True(image.Pixels.Distinct().Take(3).Count() == 3, $"{png} is blank");
    }

    private static void AssertHoldsEverythingItself(string page, int images)
    {
        Assert.Equal(images, page.Split("<img ").Length - 1);
        Assert.Equal(images, page.Split(" src=\"data:image/png;base64,").Length - 1);
        Assert.DoesNotMatch(new Regex("""https?:|//[a-z]|href|<script|<link|<iframe|@import|url\(|src="(?!data:)""", RegexOptions.IgnoreCase), Regex.Replace(page, "base64,[^\"]+", ""));
    }
}
