using Ghpo.Configuration;
using Microsoft.Data.Sqlite;

namespace Ghpo.Journal;

/// <summary>
/// Reads a SQLite journal, of a live run or a finished one, without an actor system and without writing. A read sees the journal as it was when
/// the read began.
/// </summary>
public sealed class JournalReader(string path)
{
    /// <summary>The events of one actor, oldest first. Read as they are enumerated.</summary>
    /// <exception cref="UserErrorException">There is no journal at the path, or a row is of another program.</exception>
    public IEnumerable<JournalEntry> Entries(string persistenceId)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException($"There is no journal at {path}.");
        }

        var source = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false };
        using var connection = new SqliteConnection(source.ToString());
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText =
            "SELECT sequence_number, identifier, manifest, message FROM journal WHERE persistence_id = $id AND deleted = 0 ORDER BY sequence_number";
        command.Parameters.AddWithValue("$id", persistenceId);
        using SqliteDataReader rows = command.ExecuteReader();
        while (rows.Read())
        {
            long sequenceNumber = rows.GetInt64(0);
            string manifest = rows.GetString(2);
            if (rows.GetInt32(1) != GhpoEventSerializer.FixedIdentifier)
            {
                throw new UserErrorException(
                    $"{path}: event {sequenceNumber} of {persistenceId} was written by serializer {rows.GetInt32(1)}, not by this program.");
            }

            yield return new JournalEntry(sequenceNumber, manifest, GhpoEventSerializer.Read(rows.GetFieldValue<byte[]>(3), manifest));
        }
    }

    /// <summary>The events of one actor without their row data.</summary>
    public IEnumerable<object> Events(string persistenceId) => Entries(persistenceId).Select(entry => entry.Event);
}

/// <summary>A row of the journal.</summary>
public sealed record JournalEntry(long SequenceNumber, string Manifest, object Event);
