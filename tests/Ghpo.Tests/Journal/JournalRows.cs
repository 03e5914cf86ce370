using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Ghpo.Tests.Journal;

/// <summary>Reads the database itself, past all of our own code.</summary>
internal static class JournalRows
{
    internal static IEnumerable<string> Of(string folder, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "journal.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using SqliteDataReader rows = command.ExecuteReader();
        while (rows.Read())
        {
            yield return Convert.ToString(rows.GetValue(0), CultureInfo.InvariantCulture)!;
        }
    }
}
