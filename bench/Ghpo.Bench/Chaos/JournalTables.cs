using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Data.Sqlite;

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
internal sealed class JournalTables(string path)
{
    private const string Committable = """
        SELECT count(*) FROM journal WHERE manifest = 'sc-v1'
        """;

    private (long Length, DateTime Written) _seen;

    /// <summary>Completes when something has been written since the last call; looks every so often, without opening the database.</summary>
    public async Task WrittenAsync(TimeSpan interval, CancellationToken cancelled)
    {
        var log = new FileInfo(path + "-wal");
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
    public int Committed() => Number(Committable);

    /// <summary>Groups of a step that have settled.</summary>
    public int Settled(int step) => Number($"SELECT count(*) FROM journal WHERE manifest = 'gs-v1' AND substr(message, 2, 1) = x'{step:x2}'");

    public int Rows(string manifest) => Number($"SELECT count(*) FROM journal WHERE manifest = '{manifest}'");

    /// <summary>What is lost, duplicated or skipped, one sentence each; empty for a run of so many steps that has lost nothing.</summary>
    public ImmutableArray<string> Faults(int steps, int groups)
    {
        if (steps > 127 || groups > 127)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), "Steps and groups must be below 128 to be read from the bytes.");
        }

        var faults = ImmutableArray.CreateBuilder<string>();
        Require("steps planned", "SELECT count(*) FROM journal WHERE manifest = 'sp-v1'", steps);
        Require("different steps planned", "SELECT count(DISTINCT substr(message, 2, 1)) FROM journal WHERE manifest = 'sp-v1'", steps);
        Require("steps committed", Committable, steps);
        Require("different steps committed", "SELECT count(DISTINCT substr(message, 2, 1)) FROM journal WHERE manifest = 'sc-v1'", steps);
        foreach ((string manifest, string what) in new[] { ("gs-v1", "groups settled"), ("or-v1", "outcomes noted"), ("gr-v1", "groups released") })
        {
            Require(what, $"SELECT count(*) FROM journal WHERE manifest = '{manifest}'", steps * groups);
            Require($"different {what}", $"SELECT count(DISTINCT substr(message, 2, 2)) FROM journal WHERE manifest = '{manifest}'", steps * groups);
        }

        Require("groups that settled after their step was committed, or of a step that was not", """
            SELECT count(*) FROM journal g LEFT JOIN journal c
            ON c.manifest = 'sc-v1' AND substr(c.message, 2, 1) = substr(g.message, 2, 1)
            WHERE g.manifest = 'gs-v1' AND (c.sequence_number IS NULL OR c.sequence_number < g.sequence_number)
            """, 0);
        Require("steps committed out of order", """
            SELECT count(*) FROM journal a JOIN journal b ON a.manifest = 'sc-v1' AND b.manifest = 'sc-v1'
            AND a.sequence_number < b.sequence_number AND substr(a.message, 2, 1) >= substr(b.message, 2, 1)
            """, 0);
        Require("gaps and repetitions in sequence numbers", """
            SELECT count(*) FROM (SELECT persistence_id, count(*) n, count(DISTINCT sequence_number) d, min(sequence_number) low, max(sequence_number) high
            FROM journal GROUP BY persistence_id) WHERE n <> d OR low <> 1 OR high <> n
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

    private int Number(string sql)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        try
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            return Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        }
        catch (SqliteException failure) when (failure.Message.Contains("no such table", StringComparison.Ordinal))
        {
            // Killed before the journal's first row.
            return 0;
        }
    }
}
