using System.Diagnostics;
using System.Runtime.InteropServices;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Commands;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary>Ctrl-C as the operating system delivers it, to <c>ghpo train</c> in a process of its own.</summary>
public sealed class CtrlCTests : IDisposable
{
    private const int SigInt = 2;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);
    private readonly TinyRun _tiny = new();

    public CtrlCTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill(2).");

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task Once_finishes_the_step_takes_a_checkpoint_and_exits_130_with_how_to_resume()
    {
        (int exitCode, string output) = await TrainAndInterrupt(times: 1, maxNewTokens: 8);

        Assert.Equal(ExitCodes.Interrupted, exitCode);
        RunFolder folder = RunFolder.Open(Path.Combine(_tiny.Runs, "tiny"));
        int steps = MetricsFiles.ReadSteps(folder).Count;
        Assert.InRange(steps, 1, 9999);
        Assert.Contains("Finishing step", output, StringComparison.Ordinal);
        Assert.Contains($"Go on with: {folder.ResumeCommand}", output, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Stopped, MetricsFiles.ReadOutcome(folder)!.Outcome);
        Assert.True(File.Exists(Path.Combine(folder.Checkpoints, FormattableString.Invariant($"step-{steps:D6}"), "model.safetensors")));
    }

    [Fact]
    public async Task Twice_exits_130_at_once_and_the_journal_is_whole()
    {
        (int exitCode, string output) = await TrainAndInterrupt(times: 2, maxNewTokens: 200);

        Assert.Equal(ExitCodes.Interrupted, exitCode);
        RunFolder folder = RunFolder.Open(Path.Combine(_tiny.Runs, "tiny"));
        Assert.Contains($"`{folder.ResumeCommand}` goes on from the last journalled group.", output, StringComparison.Ordinal);
        Assert.Null(MetricsFiles.ReadOutcome(folder));
        int[] committed = [.. new JournalReader(folder.Journal).Events(LearnerActor.JournalId).OfType<LearnerProtocol.StepCommitted>().Select(step => step.Step)];
        Assert.NotEmpty(committed);
        Assert.Equal(Enumerable.Range(0, committed.Length), committed);
        using SqliteFile free = SqliteFile.Prepare(folder.Journal);
    }

    /// <summary>Signals after the first step's line; what the run says is read to its end.</summary>
    /// <param name="maxNewTokens">Long answers keep a step from ending before the second signal.</param>
    private async Task<(int ExitCode, string Output)> TrainAndInterrupt(int times, int maxNewTokens)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ghpo.dll");
        string[] heeding = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT"] : []; // Background jobs may have SIGINT ignored, and children inherit that.
        string[] command = [.. heeding, "dotnet", program, .. _tiny.TrainArguments("--set", "run.steps=10000", "--set", "evaluation.enabled=false", "--set", $"rollout.max-new-tokens={maxNewTokens}")];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = Environment.CurrentDirectory,
        };
        using var process = Process.Start(start)!;
        try
        {
            using var patience = new CancellationTokenSource(_patience);
            var lines = new List<string>();
            while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                lines.Add(line);
                // Two signals of a kind that arrive together are one, so the second waits for what the first leads to.
                if (line.StartsWith("step 1/", StringComparison.Ordinal) || (times > 1 && line.Contains("Finishing step", StringComparison.Ordinal)))
                {
                    Assert.Equal(0, Kill(process.Id, SigInt));
                }
            }

            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, string.Join('\n', lines));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
