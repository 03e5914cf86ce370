using System.Collections.Immutable;
using Ghpo.Bench.Chaos;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Node.Commands;
using Ghpo.Tests.Journal;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>Whole runs whose journal is a PostgreSQL database. What holds event by event is in the specs that both databases share.</summary>
public sealed class PostgresRunTests : IDisposable
{
    private readonly TinyRun _tiny = new();
    private readonly TemporaryFolder _folder = new();

    public PostgresRunTests() => TestJournal.UsePostgres(_folder.Path);

    public void Dispose()
    {
        TestJournal.Drop(_folder.Path);
        _folder.Dispose();
        _tiny.Dispose();
    }

    [Fact]
    public async Task An_interrupted_run_on_PostgreSQL_ends_with_the_bits_of_an_uninterrupted_one_on_SQLite()
    {
        string reference = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(reference, _tiny.Settings()).Run);

        for (int kill = 1; kill <= 3; kill++)
        {
            (RunContext run, Tutor tutor) = TinyRun.Create(_folder.Path, _tiny.Settings());
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            int requests = 0;
            tutor.BeforeSubmit = (_, _) =>
            {
                if (Interlocked.Increment(ref requests) == 9)
                {
                    reached.TrySetResult();
                }
            };
            RunSession session = await RunSession.Start(run);
            await reached.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            await session.DisposeAsync();
        }

        (RunContext last, Tutor resumed) = TinyRun.Create(_folder.Path, _tiny.Settings());
        ImmutableHashSet<GroupId> settled = [.. TinyRun.Settled(_folder.Path).Select(group => group.Group)];
        RunEvents.RunEnded ended = await RunSession.Complete(last);

        Assert.Equal((RunOutcome.Completed, 3), (ended.Outcome, ended.Steps));
        Assert.DoesNotContain(resumed.Submitted, submitted => settled.Contains(submitted.Group));
        TinyRun.RequireSound(_folder.Path, steps: 3);
        TinyRun.RequireSameRun(reference, _folder.Path);
        Assert.Empty(new JournalTables("", TestJournal.SettingsOf(_folder.Path).ConnectionString).Faults(steps: 3, groups: 5));
        Assert.False(File.Exists(Path.Combine(_folder.Path, "journal.db")));
    }

    [Fact]
    public async Task A_real_process_holds_its_database_until_it_is_killed()
    {
        string connection = TestJournal.SettingsOf(_folder.Path).ConnectionString;
        using var tiny = new Node.TinyRun();
        string run = Path.Combine(tiny.Runs, "tiny");
        string[] arguments = tiny.TrainArguments(
            "--set", "run.steps=4", "--set", "evaluation.enabled=false", "--set", "journal.provider=postgresql", "--set", $"journal.connection-string={connection}");
        var tables = new JournalTables("", connection);
        using (GhpoProcess process = GhpoProcess.Start(arguments))
        {
            while (tables.Rows("gs-v1") == 0)
            {
                Assert.False(process.Ended.IsCompleted, process.Printed);
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }

            (int refused, _, string error) = await Node.TinyRun.Run("resume", run, "--plain");
            if (!process.Ended.IsCompleted)
            {
                Assert.Equal(ExitCodes.UserError, refused);
                Assert.Contains($"is held by ghpo process {process.Id} on {Environment.MachineName}; stop it or use another database", error, StringComparison.Ordinal);
            }

            process.Kill();
            await process.Ended;
        }

        (int exitCode, string output, string problems) = await Node.TinyRun.Run("resume", run, "--plain");
        Assert.True(exitCode == ExitCodes.Success, output + problems);
        Assert.Empty(tables.Faults(steps: 4, groups: 4));
        Assert.Equal(4, (await File.ReadAllLinesAsync(Path.Combine(run, "metrics", "steps.jsonl"), TestContext.Current.CancellationToken)).Distinct().Count());

        (exitCode, _, problems) = await Node.TinyRun.Run([.. arguments, "--set", "run.name=second"]);
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains("holds the journal of a run already", problems, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(tiny.Runs, "second")));
    }
}
