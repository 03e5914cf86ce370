using System.Text;
using Ghpo.Bench.Chaos;
using Ghpo.Node.Commands;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>A disk that gets full under a running <c>ghpo train</c>.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int Steps = 4;
    private const int Groups = 4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 10, "journal", "disk is full")]
    [InlineData(1_500_000, 2, "writing checkpoint", "No space left on device")]
    public async Task The_run_stops_with_a_clear_error_and_ends_whole_once_there_is_space(long left, int checkpointEvery, string place, string cause)
    {
        using var disk = new SmallDisk(megabytes: 40);
        string reference = Path.Combine(_folder.Path, "run");
        Assert.Equal(ExitCodes.Success, (await Run(new StringWriter(), Train(_folder.Path, checkpointEvery))).ExitCode);

        // Long before the run's end; what is left is enough for some steps' events, or for nothing.
        var output = new Watched("step 1/", () => disk.FillUp(left));
        (int exitCode, string error) = await Run(output, Train(disk.Path, checkpointEvery));
        string said = output + error;

        Assert.True(exitCode == ExitCodes.Failure, said);
        Assert.True(said.Contains("The run failed", StringComparison.Ordinal), said);
        string reason = Assert.Single(said.Split('\n'), line => line.StartsWith("The run failed", StringComparison.Ordinal));
        Assert.Contains(place, reason, StringComparison.Ordinal);
        Assert.Contains(cause, reason, StringComparison.Ordinal);
        Assert.Contains("ghpo resume", said, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetDirectories(disk.Path, "*", SearchOption.AllDirectories), folder => folder.EndsWith(".partial", StringComparison.Ordinal));

        string run = Path.Combine(disk.Path, "run");
        if (left == 0)
        {
            (exitCode, error) = await Run(new StringWriter(), "resume", run, "--plain");
            Assert.Equal(ExitCodes.UserError, exitCode);
            Assert.Contains("Free some space", error, StringComparison.Ordinal);
        }

        disk.MakeSpace();
        output = new Watched("", () => { });
        (exitCode, error) = await Run(output, "resume", run, "--plain");

        Assert.True(exitCode == ExitCodes.Success, output + error);
        Assert.Empty(new JournalTables(Path.Combine(run, "journal.db")).Faults(Steps, Groups));
        Assert.Empty(RunComparison.Differences(reference, run));
    }

    private static string[] Train(string folder, int checkpointEvery) =>
    [
        "train", "--plain", "--run", "run", "--steps", $"{Steps}", "--set", $"run.folder={folder}",
        "--set", "data.arithmetic.problems=40", "--set", "data.arithmetic.operations=[4, 6, 7]", "--set", "data.arithmetic.held-out-problems=1",
        "--set", $"curriculum.groups-per-step={Groups}", "--set", "rollout.group-size=4", "--set", "rollout.slots=8", "--set", "rollout.max-new-tokens=40",
        "--set", "learning.threads=1", "--set", "learning.rate=1e-3", "--set", "evaluation.enabled=false", "--set", $"checkpoints.every-steps={checkpointEvery}",
    ];

    private static async Task<(int ExitCode, string Error)> Run(StringWriter output, params string[] arguments)
    {
        var error = new StringWriter();
        return (await GhpoCommandLine.RunAsync(arguments, TextWriter.Synchronized(output), error), error.ToString());
    }

    /// <summary>Does something once, before the line that begins so is written.</summary>
    private sealed class Watched(string line, Action action) : StringWriter
    {
        private bool _done;

        public override void WriteLine(string? value)
        {
            if (!_done && value?.StartsWith(line, StringComparison.Ordinal) == true)
            {
                _done = true;
                action();
            }

            base.WriteLine(value);
        }

        public override Encoding Encoding => Encoding.UTF8;
    }
}
