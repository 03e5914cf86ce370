using System.Data.Common;
using Ghpo.Configuration;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Ghpo.Journal;

/// <summary>The database behind a journal, for those who look at its tables instead of persisting through Akka.</summary>
/// <param name="Place">What error messages call it: the file, or the database without its password.</param>
internal sealed record JournalDatabase(JournalProvider Provider, string Place, string ConnectionString)
{
    /// <summary>SQLITE_CANTOPEN.</summary>
    private const int CannotOpen = 14;

    internal static JournalDatabase Sqlite(string file) => new(JournalProvider.Sqlite, file, file);

    internal static JournalDatabase Of(JournalSettings settings, string sqliteFile) => settings.Provider switch
    {
        JournalProvider.Sqlite => Sqlite(sqliteFile),
        JournalProvider.Postgresql => new(settings.Provider, PlaceOf(settings.ConnectionString), settings.ConnectionString),
        _ => throw new InvalidOperationException($"journal.provider {settings.Provider} is unknown"),
    };

    /// <summary>An open connection that cannot write, so that looking can do a live run no harm. Waits for no writer, and no writer waits for it.</summary>
    /// <exception cref="UserErrorException">There is no such file or database.</exception>
    internal DbConnection OpenToRead() => Provider == JournalProvider.Sqlite
        ? OpenSqlite(SqliteOpenMode.ReadOnly)
        : OpenPostgres("-c default_transaction_read_only=on");

    /// <exception cref="UserErrorException">There is no such file or database.</exception>
    internal DbConnection OpenToWrite() => Provider == JournalProvider.Sqlite ? OpenSqlite(SqliteOpenMode.ReadWrite) : OpenPostgres(options: null);

    /// <summary>False for a run that was killed before it wrote anything.</summary>
    internal bool HasTables(DbConnection connection)
    {
        using DbCommand command = connection.CreateCommand();
        command.CommandText = Provider == JournalProvider.Sqlite
            ? "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'journal'"
            : "SELECT count(to_regclass('journal'))";
        return Convert.ToInt64(command.ExecuteScalar(), null) > 0;
    }

    /// <summary>What a database's own error means to a user.</summary>
    internal UserErrorException Unreadable(DbException failure) => new($"The journal at {Place} cannot be read: {failure.Message}");

    private SqliteConnection OpenSqlite(SqliteOpenMode mode)
    {
        if (!File.Exists(ConnectionString))
        {
            throw new UserErrorException($"There is no journal at {Place}.");
        }

        try
        {
            return OpenSqlite(ConnectionString, mode);
        }
        catch (SqliteException failure) when (failure.SqliteErrorCode == CannotOpen && File.Exists(ConnectionString + "-wal"))
        {
            throw new UserErrorException(
                $"The journal at {Place} has a write-ahead log, which cannot be read in a folder that cannot be written: copy the run folder, and read it there.");
        }
        catch (SqliteException failure)
        {
            throw Unreadable(failure);
        }
    }

    private static SqliteConnection OpenSqlite(string source, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = source, Mode = mode, Pooling = false }.ToString());
        try
        {
            connection.Open();

            // Opening opens nothing yet: the first statement does.
            using SqliteCommand probe = connection.CreateCommand();
            probe.CommandText = "PRAGMA schema_version";
            probe.ExecuteScalar();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private NpgsqlConnection OpenPostgres(string? options)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Options = options, Pooling = false }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch (NpgsqlException failure)
        {
            connection.Dispose();
            throw Unreadable(failure);
        }
    }

    private static string PlaceOf(string connectionString)
    {
        try
        {
            var parts = new NpgsqlConnectionStringBuilder(connectionString);
            return $"postgresql://{parts.Host}:{parts.Port}/{parts.Database}";
        }
        catch (ArgumentException problem)
        {
            throw new UserErrorException(
                $"ghpo.journal.connection-string cannot be read: {problem.Message} It looks like \"Host=db;Username=ghpo;Database=run1\".");
        }
    }
}

/// <summary>Parameters, the same for both databases.</summary>
internal static class JournalCommands
{
    internal static void Add(this DbCommand command, string name, object value)
    {
        DbParameter parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }

    /// <summary>A condition that only events under one of these manifests meet.</summary>
    internal static string OfKinds(this DbCommand command, IReadOnlyCollection<string> manifests)
    {
        foreach ((int i, string manifest) in manifests.Index())
        {
            command.Add($"@kind{i}", manifest);
        }

        return $"manifest IN ({string.Join(", ", manifests.Select((_, i) => $"@kind{i}"))})";
    }
}
