using System.Diagnostics;
using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Commands;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class RunsCommandTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public async Task Runs_are_listed_with_state_step_figures_and_size_and_one_that_cannot_be_read_hides_no_other()
    {
        Make("complete", 3, RunOutcome.Completed);
        Make("killed", 2, null);
        // This process is alive, and began before the file was written.
        Make("live", 1, null, JsonSerializer.Serialize(new { host = "127.0.0.1", port = 1, pid = Environment.ProcessId }));
        Make("half-written", 1, null, "{\"host\":");
        Make("fresh", 0, null);
        RunFolder newer = Make("newer", 0, null);
        await File.WriteAllTextAsync(newer.Configuration, "ghpo.of-tomorrow = 1\n", TestContext.Current.CancellationToken);
        RunFolder other = Make("other", 1, null, JsonSerializer.Serialize(new { host = "127.0.0.1", port = 1, pid = Environment.ProcessId }));
        File.SetLastWriteTimeUtc(other.Inspection, Process.GetCurrentProcess().StartTime.ToUniversalTime() - TimeSpan.FromHours(1));
        Directory.CreateDirectory(Path.Combine(_temporary.Path, "no-run"));

        (int exitCode, string output, string error) = await TinyRun.Run("runs", "--folder", _temporary.Path, "--json");

        Assert.True(exitCode == ExitCodes.Success, error);
        JsonElement[] rows = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(
            ["complete completed 3", "fresh interrupted 0", "half-written interrupted 1", "killed interrupted 2", "live running 1", "newer unreadable 0", "other interrupted 1"],
            rows.Select(row => $"{row.GetProperty("name")} {row.GetProperty("state")} {row.GetProperty("step")}"));
        Assert.Equal((0.27, 0.27, 0.5), (Number(rows[0], "reward"), Number(rows[0], "accuracy"), Number(rows[0], "held_out")));
        Assert.All(rows, row => Assert.True(row.GetProperty("bytes").GetInt64() > 0));
        (_, output, _) = await TinyRun.Run("runs", "--folder", _temporary.Path);
        Assert.Matches(@"│ complete +│ completed +│ 3/150 +│ 0\.270 +│ 0\.270 +│ 0\.500 +│ \d+\.\d MB", output);
        Assert.Contains("unknown key ghpo.of-tomorrow", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"host":"127.0.0.1","port":1,"pid":4194303}""", "is not running: its process is gone. Go on with: ghpo resume")]
    [InlineData("""{"pid":1}""", "inspection.json: not what a run writes there")]
    [InlineData("""{"host":""", "inspection.json: not what a run writes there")]
    public async Task A_run_whose_process_was_killed_is_named_as_such_when_it_is_asked(string inspection, string expected)
    {
        RunFolder killed = Make("killed", 1, null, inspection);
        foreach (string[] asked in new[] { new[] { "pbm", "--run", killed.Root, "why" }, ["top", killed.Root] })
        {
            (int exitCode, _, string error) = await TinyRun.Run(asked);
            Assert.Equal(ExitCodes.UserError, exitCode);
            Assert.Contains(expected, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Where_there_are_no_runs_it_says_so()
    {
        (int exitCode, string output, _) = await TinyRun.Run("runs", "--folder", _temporary.Path);
        Assert.Equal(ExitCodes.Success, exitCode);
        Assert.Contains($"{_temporary.Path} holds no runs", output, StringComparison.Ordinal);
        (exitCode, _, string error) = await TinyRun.Run("runs", "--folder", Path.Combine(_temporary.Path, "nowhere"));
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains("nowhere: no such folder", error, StringComparison.Ordinal);
    }

    private RunFolder Make(string name, int steps, RunOutcome? outcome, string? inspection = null)
    {
        RunFolder folder = RunFolder.Create(
            SettingsBinder.Load(null, [new SettingOverride("run.name", name, ""), new SettingOverride("run.folder", _temporary.Path, ""), new SettingOverride("run.steps", "200", "")]), DateTimeOffset.UnixEpoch);
        using var files = new MetricsFiles(folder, TimeProvider.System, () => false);
        for (int step = 0; step < steps; step++)
        {
            files.Observe(new RunEvents.StepCompleted(RecordedRun.Step(step)), RunProgress.None);
        }

        if (outcome is { } end)
        {
            files.Observe(new RunEvents.PolicyMeasured(RecordedRun.Evaluation(steps, 0.5)), RunProgress.None);
            // A user has given it fewer steps than it was started with.
            RunProgress progress = RunProgress.None with { Run = new RunEvents.RunStarted(name, folder.Root, 0, 150, 0, 10, 0) };
            files.Observe(new RunEvents.RunEnded(end, steps, null, null), progress);
        }

        if (inspection is not null)
        {
            File.WriteAllText(folder.Inspection, inspection);
        }

        return folder;
    }

    private static double Number(JsonElement row, string name) => Math.Round(row.GetProperty(name).GetDouble(), 9);
}
