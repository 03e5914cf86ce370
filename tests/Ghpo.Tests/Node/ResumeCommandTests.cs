using Ghpo.Node.Commands;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class ResumeCommandTests : IDisposable
{
    private readonly TinyRun _tiny = new();

    private string Folder => Path.Combine(_tiny.Runs, "tiny");

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task A_complete_run_is_given_more_steps_and_the_journal_says_who_did_it()
    {
        Assert.Equal(ExitCodes.Success, (await _tiny.Train()).ExitCode);

        (int exitCode, string output, string error) = await TinyRun.Run("resume", Folder, "--plain", "--set", "run.steps=2", "--set", "learning.rate=1e-3", "--set", "rollout.workers=2");

        Assert.Equal((ExitCodes.Success, ""), (exitCode, error));
        Assert.Contains("step 2/2", output, StringComparison.Ordinal);
        Assert.Equal(1e-3, MetricsFiles.ReadSteps(RunFolder.Open(Folder))[1].Learning.LearningRate, 1e-9);
        (_, string shown, _) = await TinyRun.Run("journal", "show", Folder, "--kind", "control");
        Assert.Contains($"ghpo.learning.rate = 0.001 from step 1 on, by {Environment.UserName}@", shown.ReplaceLineEndings(" "), StringComparison.Ordinal);

        // What was changed stays changed, and what was not is as it was.
        (exitCode, output, error) = await TinyRun.Run("resume", Folder, "--plain", "--set", "run.steps=3");
        Assert.Equal((ExitCodes.Success, ""), (exitCode, error));
        Assert.Contains("step 3/3", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_cannot_change_is_refused_and_the_run_is_left_as_it_is()
    {
        Assert.Equal(ExitCodes.Success, (await _tiny.Train()).ExitCode);
        byte[] journal = await File.ReadAllBytesAsync(Path.Combine(Folder, "journal.db"), TestContext.Current.CancellationToken);
        foreach ((string change, string expected) in new[]
        {
            ("rollout.group-size=4", "--set rollout.group-size=4: ghpo.rollout.group-size cannot change within a run"),
            ("run.seed=4", "`ghpo fork tiny --at-step N --run NEW --set run.seed=4` begins a new run"),
            ("run.step=4", "did you mean ghpo.run.steps?"),
        })
        {
            (int exitCode, string output, string error) = await TinyRun.Run("resume", Folder, "--plain", "--set", change);
            Assert.Equal((ExitCodes.UserError, ""), (exitCode, output));
            Assert.Contains(expected, error, StringComparison.Ordinal);
        }

        Assert.Equal(journal, await File.ReadAllBytesAsync(Path.Combine(Folder, "journal.db"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_run_that_was_killed_before_its_journal_began_is_resumed_from_its_start()
    {
        Assert.Equal(ExitCodes.Success, (await _tiny.Train()).ExitCode);
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        foreach (string file in Directory.GetFiles(Folder, "journal.*"))
        {
            File.Delete(file);
        }

        Directory.Delete(Path.Combine(Folder, "checkpoints"), recursive: true);
        (int exitCode, string output, _) = await TinyRun.Run("resume", Folder, "--plain");
        Assert.Equal(ExitCodes.Success, exitCode);
        Assert.Contains("step 1/1", output, StringComparison.Ordinal);
    }
}
