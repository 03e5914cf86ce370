using System.Data.Common;
using Ghpo.Configuration;

namespace Ghpo.Journal;

/// <summary>
/// Reads a journal, of a live run or a finished one, without an actor system and without writing. A read sees the journal as it was when the
/// read began: it notes how far the journal goes and then takes it page by page, so that even an hour's reading holds no lock and keeps no
/// write-ahead log from being emptied.
/// </summary>
public sealed class JournalReader
{
    private const int PageRows = 256;

    private readonly JournalDatabase _database;

    /// <param name="path">A SQLite file.</param>
    public JournalReader(string path)
        : this(JournalDatabase.Sqlite(path))
    {
    }

    /// <param name="sqliteFile">The journal's file where the provider is SQLite.</param>
    public JournalReader(JournalSettings settings, string sqliteFile)
        : this(JournalDatabase.Of(settings, sqliteFile))
    {
    }

    private JournalReader(JournalDatabase database) => _database = database;

    /// <summary>The file, or the database without its password.</summary>
    public string Place => _database.Place;

    /// <summary>The events of all actors in the order in which they were written. Read as they are enumerated.</summary>
    /// <param name="manifests">Those of these kinds only; none: all.</param>
    /// <exception cref="UserErrorException">There is no journal, or a row is of another program or damaged.</exception>
    public IEnumerable<JournalEntry> AllEntries(params IReadOnlyCollection<string> manifests) => Rows(null, manifests).Select(row => row.Decode(Place));

    /// <summary>The events of one actor, oldest first. Read as they are enumerated.</summary>
    /// <exception cref="UserErrorException">There is no journal, or a row is of another program or damaged.</exception>
    public IEnumerable<JournalEntry> Entries(string stream, params IReadOnlyCollection<string> manifests) =>
        Rows(stream, manifests).Select(row => row.Decode(Place));

    /// <summary>The events of one actor without their row data.</summary>
    public IEnumerable<object> Events(string stream, params IReadOnlyCollection<string> manifests) =>
        Entries(stream, manifests).Select(entry => entry.Event);

    /// <summary>The newest events of one actor, oldest first.</summary>
    /// <exception cref="UserErrorException">There is no journal, or a row is of another program or damaged.</exception>
    public IReadOnlyList<object> Newest(string stream, int count, params IReadOnlyCollection<string> manifests)
    {
        using DbConnection connection = _database.OpenToRead();
        List<JournalRow> rows = Page(connection, stream, manifests, 0, Newest(connection), count, newestFirst: true);
        rows.Reverse();
        return [.. rows.Select(row => row.Decode(Place).Event)];
    }

    /// <summary>The rows themselves, in the order of writing.</summary>
    /// <param name="stream">Of one actor; null: of all.</param>
    internal IEnumerable<JournalRow> Rows(string? stream, IReadOnlyCollection<string> manifests)
    {
        using DbConnection connection = _database.OpenToRead();
        long newest = Newest(connection);
        long last = 0;
        while (true)
        {
            List<JournalRow> page = Page(connection, stream, manifests, last, newest, PageRows, newestFirst: false);
            foreach (JournalRow row in page)
            {
                yield return row;
            }

            if (page.Count < PageRows)
            {
                yield break;
            }

            last = page[^1].Ordering;
        }
    }

    private long Newest(DbConnection connection) => Guarded(() =>
    {
        if (!_database.HasTables(connection))
        {
            return 0;
        }

        using DbCommand command = connection.CreateCommand();
        command.CommandText = "SELECT coalesce(max(ordering), 0) FROM journal";
        return Convert.ToInt64(command.ExecuteScalar(), null);
    });

    private List<JournalRow> Page(DbConnection connection, string? stream, IReadOnlyCollection<string> manifests, long after, long newest, int most, bool newestFirst) => Guarded(() =>
    {
        if (newest == 0)
        {
            return [];
        }

        using DbCommand command = connection.CreateCommand();
        string conditions = "";
        if (stream is not null)
        {
            command.Add("@stream", stream);
            conditions += " AND persistence_id = @stream";
        }

        if (manifests.Count > 0)
        {
            conditions += $" AND {command.OfKinds(manifests)}";
        }

        command.Add("@after", after);
        command.Add("@newest", newest);
        command.CommandText =
            "SELECT ordering, persistence_id, sequence_number, created, identifier, manifest, message FROM journal "
            + $"WHERE ordering > @after AND ordering <= @newest AND NOT deleted{conditions} ORDER BY ordering {(newestFirst ? "DESC" : "ASC")} LIMIT {most}";
        using DbDataReader rows = command.ExecuteReader();
        List<JournalRow> page = [];
        while (rows.Read())
        {
            page.Add(new JournalRow(
                rows.GetInt64(0),
                rows.GetString(1),
                rows.GetInt64(2),
                new DateTimeOffset(rows.GetInt64(3), TimeSpan.Zero),
                rows.GetInt32(4),
                rows.GetString(5),
                rows.GetFieldValue<byte[]>(6)));
        }

        return page;
    });

    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (DbException failure)
        {
            throw _database.Unreadable(failure);
        }
    }
}
