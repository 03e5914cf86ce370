using Ghpo.Journal;
using Ghpo.Learning;
using Microsoft.Data.Sqlite;

namespace Ghpo.Tests.Node;

/// <summary>Writes a learner's events as its journal would hold them, without an actor.</summary>
internal static class JournalFile
{
    /// <summary>When the first event is written; each one comes a quarter of an hour after the one before.</summary>
    public static DateTimeOffset Begun { get; } = new(2026, 1, 2, 3, 0, 0, TimeSpan.Zero);

    public static void Write(string file, IEnumerable<object> events)
    {
        var serializer = new GhpoEventSerializer(null);
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        using SqliteCommand tables = connection.CreateCommand();
        tables.CommandText = """
            CREATE TABLE journal (ordering INTEGER PRIMARY KEY AUTOINCREMENT, deleted INTEGER NOT NULL, persistence_id TEXT NOT NULL, sequence_number INTEGER NOT NULL,
            created INTEGER NOT NULL, tags TEXT, message BLOB NOT NULL, identifier INTEGER, manifest TEXT, writer_uuid TEXT)
            """;
        tables.ExecuteNonQuery();
        foreach ((int i, object one) in events.Index())
        {
            using SqliteCommand insert = connection.CreateCommand();
            insert.CommandText = "INSERT INTO journal (deleted, persistence_id, sequence_number, created, message, identifier, manifest) VALUES (0, @stream, @number, @at, @bytes, @id, @manifest)";
            insert.Parameters.AddWithValue("@stream", LearnerActor.JournalId);
            insert.Parameters.AddWithValue("@number", i + 1);
            insert.Parameters.AddWithValue("@at", (Begun + (i * TimeSpan.FromMinutes(15))).UtcTicks);
            insert.Parameters.AddWithValue("@bytes", serializer.ToBinary(one));
            insert.Parameters.AddWithValue("@id", GhpoEventSerializer.FixedIdentifier);
            insert.Parameters.AddWithValue("@manifest", serializer.Manifest(one));
            insert.ExecuteNonQuery();
        }
    }
}
