using System.Collections.Immutable;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Ghpo.Bench.Chaos;

/// <summary>
/// Asks the database itself, past all code of the program that wrote it: rows are counted by manifest, and step and group are cut out of the
/// MessagePack bytes, where a number below 128 is one byte.
/// <code>
///   sp-v1  92 step 9N [93 step index problem] ...   a step was planned (dc + two bytes of length from 16 groups on)
///   gs-v1  9d step index ...                        a group settled
///   or-v1  97 step index ...                        the curriculum has noted it
///   gr-v1  95 step index ...                        the hint schedule has noted it
///   sc-v1  94 step ...                              a step was committed
/// </code>
/// Steps and groups must therefore stay below 128.
/// </summary>
internal sealed class JournalTables
{
    private readonly string _file;
    private readonly string? _postgres;
    private (long Length, DateTime Written) _seen;

    /// <param name="file">A SQLite file.</param>
    public JournalTables(string file)
        : this(file, null)
    {
    }

    /// <param name="postgres">Connection string of the database where the journal is not in the file.</param>
    public JournalTables(string file, string? postgres)
    {
        _file = file;
        _postgres = postgres;
    }

    /// <summary>The second byte, which is the step in every event that has one.</summary>
    private string Step => Bytes(2, 1);

    private string Group => Bytes(2, 2);

    /// <summary>Completes when something has been written to a SQLite journal since the last call; looks every so often, without opening the database.</summary>
    public async Task WrittenAsync(TimeSpan interval, CancellationToken cancelled)
    {
        var log = new FileInfo(_file + "-wal");
        (long Length, DateTime Written) now;
        do
        {
            await Task.Delay(interval, cancelled);
            log.Refresh();
            now = log.Exists ? (log.Length, log.LastWriteTimeUtc) : default;
        }
        while (now == _seen);
        _seen = now;
    }

    /// <summary>Steps committed; 0 where there is no journal yet.</summary>
    public int Committed() => Rows("sc-v1");

    /// <summary>Groups of a step that have settled.</summary>
    public int Settled(int step) => Number($"SELECT count(*) FROM journal WHERE manifest = 'gs-v1' AND {Step} = '{step:X2}'");

    public int Rows(string manifest) => Number($"SELECT count(*) FROM journal WHERE manifest = '{manifest}'");

    /// <summary>What is lost, duplicated or skipped, one sentence each; empty for a run of so many steps that has lost nothing.</summary>
    public ImmutableArray<string> Faults(int steps, int groups)
    {
        if (steps > 127 || groups > 127)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), "Steps and groups must be below 128 to be read from the bytes.");
        }

        var faults = ImmutableArray.CreateBuilder<string>();
        foreach ((string manifest, string what) in new[] { ("sp-v1", "steps planned"), ("sc-v1", "steps committed") })
        {
            Require(what, $"SELECT count(*) FROM journal WHERE manifest = '{manifest}'", steps);
            Require($"different {what}", $"SELECT count(DISTINCT {Step}) FROM journal WHERE manifest = '{manifest}'", steps);
        }

        foreach ((string manifest, string what) in new[] { ("gs-v1", "groups settled"), ("or-v1", "outcomes noted"), ("gr-v1", "groups released") })
        {
            Require(what, $"SELECT count(*) FROM journal WHERE manifest = '{manifest}'", steps * groups);
            Require($"different {what}", $"SELECT count(DISTINCT {Group}) FROM journal WHERE manifest = '{manifest}'", steps * groups);
        }

        Require("groups that settled after their step was committed, or of a step that was not", $"""
            SELECT count(*) FROM
            (SELECT sequence_number, {Step} AS step FROM journal WHERE manifest = 'gs-v1') g LEFT JOIN
            (SELECT sequence_number, {Step} AS step FROM journal WHERE manifest = 'sc-v1') c ON c.step = g.step
            WHERE c.sequence_number IS NULL OR c.sequence_number < g.sequence_number
            """, 0);
        Require("steps committed out of order", $"""
            SELECT count(*) FROM
            (SELECT sequence_number, {Step} AS step FROM journal WHERE manifest = 'sc-v1') a JOIN
            (SELECT sequence_number, {Step} AS step FROM journal WHERE manifest = 'sc-v1') b
            ON a.sequence_number < b.sequence_number AND a.step >= b.step
            """, 0);
        Require("actors with gaps or repetitions in their sequence numbers", """
            SELECT count(*) FROM (SELECT persistence_id, count(*) n, count(DISTINCT sequence_number) d, min(sequence_number) low, max(sequence_number) high
            FROM journal GROUP BY persistence_id) s WHERE n <> d OR low <> 1 OR high <> n
            """, 0);
        return faults.ToImmutable();

        void Require(string what, string sql, int expected)
        {
            int found = Number(sql);
            if (found != expected)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{what}: {found}, expected {expected}"));
            }
        }
    }

    /// <summary>Some bytes of an event as upper-case hex, counted from 1.</summary>
    private string Bytes(int from, int count)
    {
        string bytes = string.Create(CultureInfo.InvariantCulture, $"substr(message, {from}, {count})");
        return _postgres is null ? $"hex({bytes})" : $"upper(encode({bytes}, 'hex'))";
    }

    private int Number(string sql)
    {
        if (_postgres is null && !File.Exists(_file))
        {
            return 0;
        }

        using DbConnection connection = _postgres is null
            ? new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString())
            : new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_postgres) { Pooling = false }.ToString());
        try
        {
            connection.Open();
            using DbCommand command = connection.CreateCommand();
            command.CommandText = sql;
            return Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        }
        catch (DbException failure) when (failure.Message.Contains("no such table", StringComparison.Ordinal) || failure.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // Killed before the journal's first row.
            return 0;
        }
    }
}
