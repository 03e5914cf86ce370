using Ghpo.Configuration;
using Ghpo.Journal;
using Ghpo.Tests.Problems;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Ghpo.Tests.Journal;

public sealed class SqliteFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => System.IO.Path.Combine(_folder.Path, "runs/a/journal.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_held_journal_is_refused_with_the_holders_process_and_the_way_out()
    {
        using SqliteFile held = SqliteFile.Prepare(Path);

        var refusal = Assert.Throws<UserErrorException>(() => SqliteFile.Prepare(Path));

        Assert.Equal($"{Path} is held by process {Environment.ProcessId}; stop it or use another run name.", refusal.Message);
    }

    [Fact]
    public void A_lock_file_without_a_living_holder_is_taken_over()
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        File.WriteAllText(System.IO.Path.ChangeExtension(Path, ".lock"), "");
        File.WriteAllText(System.IO.Path.ChangeExtension(Path, ".pid"), "4121");

        using (SqliteFile.Prepare(Path))
        {
        }

        using SqliteFile again = SqliteFile.Prepare(Path);
        Assert.Equal(Path, again.Path);
    }

    [Fact]
    public void A_prepared_journal_keeps_a_write_ahead_log()
    {
        using SqliteFile held = SqliteFile.Prepare(Path);

        Assert.Equal(["wal"], JournalRows.Of(System.IO.Path.GetDirectoryName(Path)!, "PRAGMA journal_mode"));
    }

    [Fact]
    public async Task A_journal_that_another_program_has_locked_does_not_answer_until_it_is_let_go_and_is_held_all_the_while()
    {
        using SqliteFile held = SqliteFile.Prepare(Path);
        await using (var other = new SqliteConnection($"Data Source={Path};Pooling=False"))
        {
            other.Open();
            using SqliteTransaction left = other.BeginTransaction(deferred: false);
            var locked = Assert.IsType<HoldState.Unreachable>(await held.CheckBeforeStartAsync());
            Assert.Equal($"{Path} is locked: another program has a transaction open on it", locked.Reason);
            Assert.Equal(new HoldState.Held(1), await held.CheckAsync());
        }

        Assert.Equal(new HoldState.Held(1), await held.CheckBeforeStartAsync());
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_and_let_go()
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        File.WriteAllText(Path, new string('x', 5000));

        Assert.Contains("cannot be used as a journal", Assert.Throws<UserErrorException>(() => SqliteFile.Prepare(Path)).Message, StringComparison.Ordinal);

        File.Delete(Path);
        SqliteFile.Prepare(Path).Dispose();
    }

    [Fact]
    public void A_reader_of_a_journal_that_is_not_there_says_where_it_looked() =>
        Assert.Contains(Path, Assert.Throws<UserErrorException>(() => new JournalReader(Path).Events("learner").ToArray()).Message, StringComparison.Ordinal);
}
