using System.Globalization;
using Ghpo.Configuration;
using Npgsql;

namespace Ghpo.Journal;

/// <summary>
/// A journal's database that this process holds until it disposes this: an advisory lock of the database, on a connection of its own. The server
/// lets go of it when the connection ends, however its process ends. Should the connection break under a living process, another one may take the run
/// over; the first is fenced then by the journal, where each sequence number of an actor can be written once.
/// </summary>
public sealed class PostgresHold : IDisposable
{
    /// <summary>The lock's number: "ghpo" as a word of four bytes. Locks are of a database, and a database holds one run.</summary>
    private const int LockNumber = 0x6768706f;

    private readonly NpgsqlConnection _connection;

    private PostgresHold(NpgsqlConnection connection) => _connection = connection;

    /// <exception cref="UserErrorException">Another process holds it, or the database cannot be reached.</exception>
    public static PostgresHold Take(JournalSettings settings)
    {
        JournalDatabase database = JournalDatabase.Of(settings, "");
        var holder = string.Create(CultureInfo.InvariantCulture, $"ghpo process {Environment.ProcessId} on {Environment.MachineName}");
        var source = new NpgsqlConnectionStringBuilder(settings.ConnectionString)
        {
            Pooling = false,
            ApplicationName = holder[..Math.Min(holder.Length, 63)],
            KeepAlive = 15,
        };
        var connection = new NpgsqlConnection(source.ToString());
        try
        {
            connection.Open();
            using var attempt = new NpgsqlCommand($"SELECT pg_try_advisory_lock({LockNumber})", connection);
            if (attempt.ExecuteScalar() is true)
            {
                return new PostgresHold(connection);
            }

            using var who = new NpgsqlCommand(
                "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted "
                + $"AND l.objid = {LockNumber} AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                connection);
            string name = who.ExecuteScalar() as string ?? "another ghpo process";
            connection.Dispose();
            throw new UserErrorException($"{database.Place} is held by {name}; stop it or use another database.");
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            connection.Dispose();
            throw new UserErrorException($"{database.Place} cannot be used as a journal: {failure.Message}");
        }
    }

    public void Dispose() => _connection.Dispose();
}
