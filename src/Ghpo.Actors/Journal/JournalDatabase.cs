using System.Data.Common;
using Ghpo.Configuration;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Ghpo.Journal;

/// <summary>The database behind a journal, for those who look at its tables instead of persisting through Akka.</summary>
/// <param name="Place">What error messages call it: the file, or the database without its password.</param>
internal sealed record JournalDatabase(JournalProvider Provider, string Place, string ConnectionString)
{
    internal static JournalDatabase Sqlite(string file) => new(JournalProvider.Sqlite, file, file);

    internal static JournalDatabase Of(JournalSettings settings, string sqliteFile) => settings.Provider switch
    {
        JournalProvider.Sqlite => Sqlite(sqliteFile),
        JournalProvider.Postgresql => new(settings.Provider, PlaceOf(settings.ConnectionString), settings.ConnectionString),
        _ => throw new InvalidOperationException($"journal.provider {settings.Provider} is unknown"),
    };

    /// <summary>An open connection that cannot write, so that looking can do a live run no harm. Waits for no writer, and no writer waits for it.</summary>
    /// <exception cref="UserErrorException">There is no such file or database.</exception>
    internal DbConnection OpenToRead() => Open(SqliteOpenMode.ReadOnly, "-c default_transaction_read_only=on");

    /// <exception cref="UserErrorException">There is no such file or database.</exception>
    internal DbConnection OpenToWrite() => Open(SqliteOpenMode.ReadWrite, options: null);

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

    private DbConnection Open(SqliteOpenMode mode, string? options)
    {
        if (Provider == JournalProvider.Sqlite && !File.Exists(ConnectionString))
        {
            throw new UserErrorException($"There is no journal at {Place}.");
        }

        DbConnection connection = Provider == JournalProvider.Sqlite
            ? new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = ConnectionString, Mode = mode, Pooling = false }.ToString())
            : new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Options = options, Pooling = false }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch (DbException failure)
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
