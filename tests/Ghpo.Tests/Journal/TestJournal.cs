using Ghpo.Journal;
using Npgsql;

namespace Ghpo.Tests.Journal;

/// <summary>
/// Where a test's run folder keeps its journal: in the folder, or in a database of its own on the PostgreSQL server that the variable names. Which one, is
/// written into the folder, so that whoever comes to it later finds the same.
/// </summary>
internal static class TestJournal
{
    /// <summary>Connection string of a server on which databases may be created, as <c>.ci/postgres start</c> prints it.</summary>
    private const string Variable = "GHPO_TEST_POSTGRES";

    private const string Marker = "postgres";

    /// <summary>Skips the test, visibly, where there is no server.</summary>
    internal static string Server => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } server
        ? server
        : throw Xunit.Sdk.SkipException.ForSkip($"{Variable} is not set; `export {Variable}=$(.ci/postgres start DIR)` starts a server");

    /// <summary>Makes the folder's journal one of PostgreSQL, in a new database.</summary>
    internal static void UsePostgres(string folder)
    {
        string server = Server;
        string name = $"ghpo_{Guid.NewGuid():N}";
        Execute(server, $"CREATE DATABASE {name}");
        File.WriteAllText(Path.Combine(folder, Marker), new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = 20 }.ToString());
    }

    internal static JournalSettings SettingsOf(string folder) => File.Exists(Path.Combine(folder, Marker))
        ? new JournalSettings(JournalProvider.Postgresql, File.ReadAllText(Path.Combine(folder, Marker)), KeepRollouts.All)
        : new JournalSettings(JournalProvider.Sqlite, "", KeepRollouts.All);

    internal static JournalReader Reader(string folder) => new(SettingsOf(folder), Path.Combine(folder, "journal.db"));

    /// <summary>Drops the databases of all run folders below.</summary>
    internal static void Drop(string root)
    {
        foreach (string marker in Directory.EnumerateFiles(root, Marker, SearchOption.AllDirectories))
        {
            var database = new NpgsqlConnectionStringBuilder(File.ReadAllText(marker));
            Execute(Server, $"DROP DATABASE IF EXISTS {database.Database} WITH (FORCE)");
        }
    }

    private static void Execute(string server, string sql)
    {
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ToString());
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
