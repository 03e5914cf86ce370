using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Journal;
using Ghpo.Node.Journaling;
using Ghpo.Node.Reporting;
using Ghpo.Tests.Journal;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>Looking into a journal that is a PostgreSQL database.</summary>
public sealed class PostgresReadingTests : IDisposable
{
    private const string Marker = "postgres";

    private readonly TinyRun _tiny = new();
    private readonly TemporaryFolder _runs = new();

    public PostgresReadingTests() => TestJournal.UsePostgres(Folder("parent"));

    public void Dispose()
    {
        TestJournal.Drop(_runs.Path);
        _runs.Dispose();
        _tiny.Dispose();
    }

    [Fact]
    public async Task A_journal_on_PostgreSQL_is_checked_replayed_forked_and_pruned_as_one_on_SQLite_is()
    {
        string parent = Folder("parent");
        GhpoSettings settings = _tiny.Settings("run.steps=4", "checkpoints.keep=2") with { Journal = TestJournal.SettingsOf(parent) };
        File.WriteAllText(Path.Combine(parent, "run.conf"), SettingsWriter.Write(settings));
        await RunSession.Complete(TinyRun.Create(parent, settings).Run);
        string reference = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(reference, _tiny.Settings("run.steps=4")).Run);

        RunJournal run = RunJournal.Open(parent);
        Assert.Equal(TinyRun.Hashes(reference), TinyRun.Hashes(parent));
        Assert.Equal(
            RunHistory.At(TinyRun.Journal(reference), 0, 1).State.Curriculum.Drawn,
            RunHistory.At(run.Journal, 0, 1).State.Curriculum.Drawn);
        Assert.Equal(5, Lineage.OfStep(run.Journal, 2).Groups.Length);
        Assert.Empty(JournalAudit.Of(run.Journal, parent, settings).Findings);
        Assert.Equal((0, 4), Replayed(run, parent));

        // The report needs the database alone.
        RunRecord record = RunRecord.Open(TestJournal.SettingsOf(parent).ConnectionString);
        Assert.Equal(TinyRun.Hashes(parent).Length, record.Steps.Count);
        Assert.Equal(RunRecord.Open(parent).Steps.Select(step => step.Report.MeanReward), record.Steps.Select(step => step.Report.MeanReward));
        Assert.Matches(@"^ghpo_[0-9a-f]{32}$", record.Name);

        // Its own database is no place for a fork, and neither is one that holds a run.
        Assert.Contains("needs a database of its own", (await Assert.ThrowsAsync<UserErrorException>(() => Fork(parent, "child"))).Message, StringComparison.Ordinal);
        string child = await Fork(parent, "child", $"journal.connection-string={JsonSerializer.Serialize(NewDatabase("for-child"))}");
        File.Move(Path.Combine(Folder("for-child"), Marker), Path.Combine(child, Marker));
        Assert.Contains("already holds", (await Assert.ThrowsAsync<UserErrorException>(
            () => Fork(parent, "other", $"journal.connection-string={JsonSerializer.Serialize(TestJournal.SettingsOf(child).ConnectionString)}"))).Message, StringComparison.Ordinal);
        await RunSession.Complete(TinyRun.Create(child, RunJournal.Open(child).Settings).Run);
        Assert.Equal(TinyRun.Hashes(reference), TinyRun.Hashes(child));

        string onSqlite = await Fork(parent, "on-sqlite", "journal.provider=sqlite");
        await RunSession.Complete(TinyRun.Create(onSqlite, RunJournal.Open(onSqlite).Settings).Run);
        Assert.Equal(TinyRun.Hashes(reference), TinyRun.Hashes(onSqlite));

        // Two checkpoints stand, after the second and the fourth step: the first two steps are not needed any more.
        Assert.Equal(10, new RolloutRetention(settings, "").Prune());
        Assert.Empty(JournalAudit.Of(run.Journal, parent, settings).Findings);
        Assert.Equal((2, 2), Replayed(run, parent));
        using var export = new MemoryStream();
        Assert.Equal((40, 10), await RolloutExport.WriteAsync(run.Journal, TinyRun.Create(parent, settings).Run.Tokenizer, settings.Rewards, null, null, export));
    }

    [Fact]
    public void A_reader_cannot_write_and_a_database_without_tables_is_an_empty_journal()
    {
        JournalSettings settings = TestJournal.SettingsOf(Folder("parent"));
        Assert.Empty(new JournalReader(settings, "").AllEntries());
        using System.Data.Common.DbConnection connection = JournalDatabase.Of(settings, "").OpenToRead();
        using System.Data.Common.DbCommand command = connection.CreateCommand();
        command.CommandText = "CREATE TABLE journal (ordering bigint)";
        Assert.Contains("read-only", Assert.ThrowsAny<System.Data.Common.DbException>(() => command.ExecuteNonQuery()).Message, StringComparison.Ordinal);
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_runs.Path, name)).FullName;

    private string NewDatabase(string folder)
    {
        TestJournal.UsePostgres(Folder(folder));
        return TestJournal.SettingsOf(Folder(folder)).ConnectionString;
    }

    private async Task<string> Fork(string parent, string name, params string[] set) => (await RunFork.CreateAsync(
        RunJournal.Open(parent),
        1,
        name,
        [.. set.Append($"run.folder={JsonSerializer.Serialize(_runs.Path)}").Select(one => SettingOverride.Parse(one))],
        TimeProvider.System,
        _ => { })).Folder.Root;

    private static (int From, int Steps) Replayed(RunJournal run, string folder)
    {
        var replay = new JournalReplay(run.Journal, folder, run.Timeline);
        ReplayResult result = replay.Fold(
            () => RunContextFactory.CreateTrainer(run.Timeline.Started, () => null), replay.NewestStep, fromNewest: false, verify: true, _ => { }, _ => { });
        Assert.Empty(result.Faults);
        return (result.From, result.Steps.Length);
    }
}
