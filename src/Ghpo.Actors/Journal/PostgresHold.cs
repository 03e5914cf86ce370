using System.Globalization;
using Ghpo.Configuration;
using Npgsql;

namespace Ghpo.Journal;

/// <summary>
/// A journal's database that this process holds until it disposes this: an advisory lock of the database, on a connection of its own.
/// <para>Lifecycle: the server keeps the lock as long as the connection lives, and the connection as long as it hears from the holder. The holder speaks every
/// <see cref="Beat"/>; a dead process is known to the server at once, one that is frozen or cut off after <see cref="Silence"/>. Whoever comes then gets the lock.</para>
/// <para>Failure: a holder that finds its connection broken takes hold again, in a new term, as soon as the server answers; if another process has the lock by then,
/// it is lost for good. In between it may believe to hold what it does not: events are fenced by the journal, where each sequence number of an actor can be written once.</para>
/// </summary>
public sealed class PostgresHold : IJournalHold
{
    /// <summary>The lock's number: "ghpo" as a word of four bytes. Locks are of a database, and a database holds one run.</summary>
    private const int LockNumber = 0x6768706f;

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    private readonly JournalDatabase _database;
    private readonly string _source;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _disposed = new();
    private readonly Task _beating;
    private NpgsqlConnection? _connection;
    private int _term = 1;
    private volatile HoldState _state = new HoldState.Held(1);

    private PostgresHold(JournalDatabase database, string source, NpgsqlConnection connection)
    {
        _database = database;
        _source = source;
        _connection = connection;
        _beating = Task.Run(BeatAsync);
    }

    public HoldState State => _state;

    /// <exception cref="UserErrorException">Another process holds it, or the database cannot be reached.</exception>
    public static PostgresHold Take(JournalSettings settings)
    {
        JournalDatabase database = JournalDatabase.Of(settings, "");
        string source = SourceOf(settings);
        try
        {
            // Before any host runs, on a thread that nobody waits for: there is nothing to be asynchronous with.
            (NpgsqlConnection? connection, string holder) = Task.Run(() => LockAsync(source)).GetAwaiter().GetResult();
            return connection is not null
                ? new PostgresHold(database, source, connection)
                : throw new UserErrorException(
                    $"{database.Place} is held by {holder}; stop it or use another database. (A holder that is frozen or cut off loses it after {Silence.TotalSeconds:0} s.)");
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw new UserErrorException($"{database.Place} cannot be used as a journal: {failure.Message}");
        }
    }

    public async Task<HoldState> CheckAsync()
    {
        await _turn.WaitAsync(_disposed.Token).ConfigureAwait(false);
        try
        {
            return _state = _state is HoldState.Taken taken ? taken : await LookAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _disposed.Cancel();
        Task.Run(async () => await _beating.ConfigureAwait(false)).GetAwaiter().GetResult();
        _connection?.Dispose();
        _disposed.Dispose();
        _turn.Dispose();
    }

    private async Task BeatAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(Beat, _disposed.Token).ConfigureAwait(false);
                await CheckAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task<HoldState> LookAsync()
    {
        try
        {
            if (_connection is not null && await AnswersAsync(_connection).ConfigureAwait(false))
            {
                return new HoldState.Held(_term);
            }

            if (_connection is not null)
            {
                await _connection.DisposeAsync().ConfigureAwait(false);
                _connection = null;
            }

            (_connection, string holder) = await LockAsync(_source).ConfigureAwait(false);
            if (_connection is null)
            {
                return new HoldState.Taken($"{_database.Place} was taken over by {holder}");
            }

            // The journal's pooled connections are of before, too.
            NpgsqlConnection.ClearAllPools();
            return new HoldState.Held(++_term);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            return new HoldState.Unreachable($"{_database.Place} does not answer: {failure.Message}");
        }
    }

    private static async Task<bool> AnswersAsync(NpgsqlConnection connection)
    {
        try
        {
            await using var beat = new NpgsqlCommand("SELECT 1", connection);
            await beat.ExecuteScalarAsync().ConfigureAwait(false);
            return true;
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <returns>The connection that has the lock; null and who has it.</returns>
    private static async Task<(NpgsqlConnection? Connection, string Holder)> LockAsync(string source)
    {
        var connection = new NpgsqlConnection(source);
        try
        {
            await connection.OpenAsync().ConfigureAwait(false);
            await using var attempt = new NpgsqlCommand($"SELECT pg_try_advisory_lock({LockNumber})", connection);
            if (await attempt.ExecuteScalarAsync().ConfigureAwait(false) is true)
            {
                return (connection, "");
            }

            await using var who = new NpgsqlCommand(
                "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted "
                + $"AND l.objid = {LockNumber} AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                connection);
            string name = await who.ExecuteScalarAsync().ConfigureAwait(false) as string ?? "another ghpo process";
            await connection.DisposeAsync().ConfigureAwait(false);
            return (null, name);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Where the lock's connection goes, and what the server is told to do with it: end it when nothing is heard on it for a while.</summary>
    private static string SourceOf(JournalSettings settings)
    {
        var holder = string.Create(CultureInfo.InvariantCulture, $"ghpo process {Environment.ProcessId} on {Environment.MachineName}");
        string silence = Silence.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
        var source = new NpgsqlConnectionStringBuilder(settings.ConnectionString)
        {
            Pooling = false,
            ApplicationName = holder[..Math.Min(holder.Length, 63)],
            Timeout = (int)Beat.TotalSeconds,
            CommandTimeout = (int)Beat.TotalSeconds,
        };
        source.Options = $"{source.Options} -c idle_session_timeout={silence}".TrimStart();
        return source.ToString();
    }
}
