using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Commands;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Spectre.Console;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private readonly StringWriter _output = new();
    private readonly RunFolder _folder;

    public TrainingRunTests()
    {
        GhpoSettings settings = SettingsBinder.Load(null, [new SettingOverride("run.name", "played", ""), new SettingOverride("run.folder", _temporary.Path, "")]);
        _folder = RunFolder.Create(settings, DateTimeOffset.UnixEpoch);
    }

    public void Dispose() => _temporary.Dispose();

    private Task<int> Play(int steps, RunOutcome? end, string? reason = null) => TrainingRun.ExecuteAsync(
        _folder, _folder.ReadSettings(), RecordedRun.Pipeline(_folder, steps, end, reason), Terminal.For(_output), plain: true);

    [Fact]
    public async Task A_complete_run_leaves_metrics_plots_a_page_and_a_table()
    {
        Assert.Equal(ExitCodes.Success, await Play(3, RunOutcome.Completed));
        string output = _output.ToString();

        Assert.Contains("step 3/3  reward 0.270  accuracy 0.270  settled 0 %: 50 % | 25 %: 12.5 % | 50 %: 6.3 % | 75 %: 25 % | unsolved: 6.3 %", output, StringComparison.Ordinal);
        Assert.Contains("rollout 6,000 tok/s  learner 20,000 tok/s", output, StringComparison.Ordinal);
        string all = Assert.Single(output.Split('\n'), line => line.Contains("│ all ", StringComparison.Ordinal));
        Assert.Matches(@"all\s+│\s+200\s+│\s+0\.250\s+│\s+0\.500\s+│\s+\+0\.250", all);
        Assert.Contains($"model:  {_folder.Model}", output, StringComparison.Ordinal);

        string[] lines = await File.ReadAllLinesAsync(_folder.Steps, TestContext.Current.CancellationToken);
        Assert.Equal(3, lines.Length);
        Assert.Equal(0.5, JsonDocument.Parse(lines[2]).RootElement.GetProperty("learning").GetProperty("gradient_norm").GetDouble());
        Assert.Equal(
            Enumerable.Range(0, 3).Select(step => JsonSerializer.Serialize(RecordedRun.Step(step), MetricsJson.Default.StepReport)),
            MetricsFiles.ReadSteps(_folder).Select(step => JsonSerializer.Serialize(step, MetricsJson.Default.StepReport)));
        Assert.Equal([0.25, 0.5], MetricsFiles.ReadEvaluations(_folder).Select(result => result.Accuracy));
        Assert.Equal(RunOutcome.Completed, MetricsFiles.ReadOutcome(_folder)!.Outcome);

        string page = await File.ReadAllTextAsync(_folder.ReportPage, TestContext.Current.CancellationToken);
        string[] plots = Directory.GetFiles(_folder.Report, "*.png");
        Assert.Equal(11, plots.Length);
        Assert.Equal(plots.Length, page.Split("src=\"data:image/png;base64,").Length - 1);
        Assert.DoesNotMatch("https?:", page);
        Assert.Contains("group-size = 8", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_is_structured_and_pairs_positional_arguments_by_number()
    {
        await Play(1, RunOutcome.Completed);
        string[] lines = await File.ReadAllLinesAsync(_folder.Log, TestContext.Current.CancellationToken);
        string line = Assert.Single(lines, line => line.Contains("comes after", StringComparison.Ordinal));
        JsonElement entry = JsonDocument.Parse(line).RootElement;
        string text = entry.GetProperty("@mt").GetString()!;
        foreach (JsonProperty property in entry.EnumerateObject())
        {
            text = text.Replace($"{{{property.Name}}}", property.Value.ToString(), StringComparison.Ordinal);
        }

        Assert.Contains("[second] comes after first {brace}", text.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("Warning", entry.GetProperty("@l").GetString());
        Assert.Contains("warning: [second] comes after first {brace}", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TensorBoard_reads_every_scalar_back_with_its_checksums()
    {
        await Play(2, RunOutcome.Completed);
        string file = Assert.Single(Directory.GetFiles(_folder.Metrics, "events.out.tfevents.*"));
        List<(string Tag, long Step, float Value, double WallTime)> scalars = EventFile.Read(file);
        Assert.Equal(0.26f, Assert.Single(scalars, scalar => scalar is { Tag: "rollout/reward", Step: 1 }).Value);
        Assert.Equal(0.125f, Assert.Single(scalars, scalar => scalar is { Tag: "hints/settled_at_25", Step: 0 }).Value);
        Assert.Equal(0.5f, Assert.Single(scalars, scalar => scalar is { Tag: "held_out/accuracy", Step: 2 }).Value);
        Assert.DoesNotContain(scalars, scalar => scalar is { Tag: "rollout/accuracy_hinted", Step: 0 });
        Assert.Equal([0.25f, 0.25f], scalars.Where(scalar => scalar.Tag == "rollout/staleness_mean").Select(scalar => scalar.Value));
        // A curve without its zeros tells another story.
        Assert.Equal([0f, 0f], scalars.Where(scalar => scalar.Tag == "rollout/verdict_Truncated").Select(scalar => scalar.Value));
        // Seconds since 1970, between this test's writing and the year 2100.
        Assert.All(scalars, scalar => Assert.InRange(scalar.WallTime, 1.7e9, 4.1e9));
    }

    [Fact]
    public void A_step_in_which_nothing_settled_at_a_level_has_a_zero_there_and_one_that_trained_on_nothing_has_no_entropy()
    {
        StepReport step = RecordedRun.Step(0);
        using (var log = new TensorBoardLog(_folder.Metrics, _folder.ReadSettings().Hints))
        {
            log.Observe(new RunEvents.StepCompleted(step with { Settled = [], Learning = step.Learning with { Entropy = 0, ProcessedTokens = 0 } }), RunProgress.None);
            log.Observe(new RunEvents.StepCompleted(RecordedRun.Step(1) with { Settled = [new SettledAt(0.125, 8)] }), RunProgress.None);
        }

        List<(string Tag, long Step, float Value, double WallTime)> scalars = EventFile.Read(Assert.Single(Directory.GetFiles(_folder.Metrics, "events.out.tfevents.*")));
        Assert.All(new[] { "0", "25", "50", "75" }, level => Assert.Equal([0f, 0f], scalars.Where(scalar => scalar.Tag == $"hints/settled_at_{level}").Select(scalar => scalar.Value)));
        Assert.Equal([(1, 0.25f)], scalars.Where(scalar => scalar.Tag == "hints/settled_at_12.5").Select(scalar => (scalar.Step, scalar.Value)));
        Assert.Equal([1], scalars.Where(scalar => scalar.Tag == "train/entropy").Select(scalar => scalar.Step));
        Assert.Null(StepFigures.Entropy(step with { Learning = step.Learning with { ProcessedTokens = 0 } }));
    }

    [Fact]
    public async Task A_failed_run_says_why_where_the_log_is_and_how_to_go_on()
    {
        Assert.Equal(ExitCodes.Failure, await Play(1, RunOutcome.Failed, "gradient norm is NaN in step 7"));
        string output = _output.ToString();
        Assert.Contains("The run failed after 1 steps: gradient norm is NaN in step 7", output, StringComparison.Ordinal);
        Assert.Contains(_folder.Log, output, StringComparison.Ordinal);
        Assert.Contains("ghpo resume", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unexpected_failure_is_a_message_with_the_log_and_the_log_holds_its_stack()
    {
        var pipeline = new RunPipeline(akka => akka.StartActors((_, _) => throw new InvalidOperationException("no such wheel")), _ => { });
        Assert.Equal(ExitCodes.Failure, await TrainingRun.ExecuteAsync(_folder, _folder.ReadSettings(), pipeline, Terminal.For(_output), plain: true));
        Assert.Contains("no such wheel", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains($"The log is {_folder.Log}", _output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("   at ", await File.ReadAllTextAsync(_folder.Log, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_cut_short_by_a_crash_is_passed_over_and_the_step_written_again_counts()
    {
        using var files = new MetricsFiles(_folder, TimeProvider.System, () => false);
        void Write(StepReport step) => files.Observe(new RunEvents.StepCompleted(step), RunProgress.None);
        Write(RecordedRun.Step(0));
        Write(RecordedRun.Step(1));
        string text = File.ReadAllText(_folder.Steps);
        File.WriteAllText(_folder.Steps, text[..^40]);
        Assert.Equal([0], MetricsFiles.ReadSteps(_folder).Select(step => step.Step));
        Write(RecordedRun.Step(1) with { MeanReward = 0.75 });
        Write(RecordedRun.Step(0) with { MeanReward = 0.5 });
        Assert.Equal([0.5, 0.75], MetricsFiles.ReadSteps(_folder).Select(step => step.MeanReward));

        File.AppendAllText(_folder.Steps, "{\"step\": \"x\"}\n");
        Assert.Contains("steps.jsonl:5: not a line that ghpo wrote", Assert.Throws<UserErrorException>(() => MetricsFiles.ReadSteps(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_live_panel_shows_the_figures_of_the_last_step()
    {
        RunProgress progress = new object[]
        {
            new RunEvents.RunStarted("name", "folder", 0, 10, 0, 6000, 200), new RunEvents.StepCompleted(RecordedRun.Step(0)), new RunEvents.StepCompleted(RecordedRun.Step(1)),
            new RunEvents.PipelineProgress(2, 3, 32, "training", 30_000, [new RunEvents.StageDepth("rollout", 12, 64, 0)]),
        }.Aggregate(RunProgress.None, (state, runEvent) => state.Apply(runEvent));
        IAnsiConsole console = Terminal.For(_output);
        console.Write(LiveView.Render(progress));
        string panel = _output.ToString();
        // Eight steps to go at three seconds each.
        foreach (string part in new[] { "step 2/10", "20 %", "ETA 0:24", "training, 3/32 groups settled", "0.260", "25 %", "rollout 12/64", "6,000", "30,000" })
        {
            Assert.Contains(part, panel, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_remaining_time_follows_the_token_budget_where_that_ends_the_run_first()
    {
        RunProgress progress = RunProgress.None
            .Apply(new RunEvents.RunStarted("name", "folder", 0, 1000, 60_000, 6000, 200))
            .Apply(new RunEvents.StepCompleted(RecordedRun.Step(1)));
        // 36,000 tokens left at 12,000 a step of three seconds.
        Assert.Equal(9, progress.Remaining!.Value.TotalSeconds, 6);
        Assert.Equal(0.4, progress.Fraction, 6);
    }
}
