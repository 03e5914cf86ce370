using System.Data.Common;
using System.Globalization;
using Ghpo.Journal;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Ghpo.Tests.Journal;

/// <summary>Reads the database itself, past all of our own code.</summary>
internal static class JournalRows
{
    internal static IEnumerable<string> Of(string folder, string sql, bool write = false)
    {
        JournalSettings settings = TestJournal.SettingsOf(folder);
        using DbConnection connection = settings.Provider == JournalProvider.Sqlite
            ? new SqliteConnection($"Data Source={Path.Combine(folder, "journal.db")};Mode={(write ? "ReadWrite" : "ReadOnly")};Pooling=False")
            : new NpgsqlConnection(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false }.ToString());
        connection.Open();
        using DbCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using DbDataReader rows = command.ExecuteReader();
        while (rows.Read())
        {
            yield return Convert.ToString(rows.GetValue(0), CultureInfo.InvariantCulture)!;
        }
    }
}
