using System.Globalization;
using Ghpo.Configuration;
using Microsoft.Data.Sqlite;

namespace Ghpo.Journal;

/// <summary>
/// A journal file that this process holds until it disposes this. SQLite itself lets several processes write; two learners on one journal
/// would tear the run apart, so the file beside it, <c>journal.lock</c>, is locked. The operating system lets go of the lock when its
/// holder dies, however it dies: a lock file that is left over stands in nobody's way.
/// </summary>
public sealed class SqliteFile : IJournalHold
{
    private readonly FileStream _hold;

    private SqliteFile(string path, FileStream hold)
    {
        Path = path;
        _hold = hold;
    }

    public string Path { get; }

    /// <summary>The operating system takes it from nobody who lives.</summary>
    public HoldState State => FirmHold.Instance.State;

    /// <summary>
    /// Takes hold of the journal at <paramref name="path"/>, creating folder and file if needed, and turns its write-ahead log on: without one,
    /// readers and writers time each other out. To be called before any actor opens it.
    /// </summary>
    /// <exception cref="UserErrorException">Another process holds it, it cannot be written, or it is no SQLite file.</exception>
    public static SqliteFile Prepare(string path)
    {
        FileStream hold = Lock(path);
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
            connection.Open();
            using SqliteCommand pragma = connection.CreateCommand();
            pragma.CommandText = "PRAGMA journal_mode = WAL";
            string? mode = pragma.ExecuteScalar() as string;
            return mode == "wal"
                ? new SqliteFile(path, hold)
                : throw new UserErrorException(
                    $"{path} cannot keep a write-ahead log (its mode is '{mode}'): put the run folder on a local disk.");
        }
        catch (SqliteException failure)
        {
            hold.Dispose();
            throw new UserErrorException($"{path} cannot be used as a journal: {failure.Message}");
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    public Task<HoldState> CheckAsync() => Task.FromResult(State);

    /// <summary>
    /// Whether it can be written now: a transaction that another program has left open on it keeps everybody else from writing, and is waited for as a database that does not
    /// answer. Of anything else that is wrong with the file its writers hear.
    /// </summary>
    public Task<HoldState> CheckBeforeStartAsync() => Task.Run(() =>
    {
        try
        {
            var source = new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false, DefaultTimeout = 1 };
            using var connection = new SqliteConnection(source.ToString());
            connection.Open();
            using SqliteTransaction writes = connection.BeginTransaction(deferred: false);
            writes.Rollback();
            return State;
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode == SQLitePCL.raw.SQLITE_BUSY)
        {
            return new HoldState.Unreachable($"{Path} is locked: another program has a transaction open on it");
        }
        catch (SqliteException)
        {
            return State;
        }
    });

    public void Dispose()
    {
        File.Delete(HolderPath(Path));
        _hold.Dispose();
    }

    private static FileStream Lock(string path)
    {
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
            var hold = new FileStream(LockPath(path), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(HolderPath(path), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return hold;
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new UserErrorException($"{path} cannot be written: {failure.Message}");
        }
        catch (IOException failure)
        {
            throw new UserErrorException(File.Exists(HolderPath(path))
                ? $"{path} is held by process {File.ReadAllText(HolderPath(path))}; stop it or use another run name."
                : $"{path} cannot be written: {failure.Message}");
        }
    }

    private static string LockPath(string path) => System.IO.Path.ChangeExtension(path, ".lock");

    /// <summary>The holder's process id is in a file of its own: a locked file cannot be read by others everywhere.</summary>
    private static string HolderPath(string path) => System.IO.Path.ChangeExtension(path, ".pid");
}
