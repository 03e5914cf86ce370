using System.Data.Common;
using Akka.Hosting;
using Akka.Persistence.Sql;
using Akka.Persistence.Sql.Config;
using Ghpo.Configuration;
using LinqToDB;
using LinqToDB.Interceptors;

namespace Ghpo.Journal;

/// <summary>Puts events and snapshots of an actor system into a SQL database, through <see cref="GhpoEventSerializer"/> alone.</summary>
public static class SqlJournal
{
    /// <summary>
    /// Takes hold of a run's journal for this process, before any actor opens it, until it is disposed: two learners on one journal would tear the run
    /// apart.
    /// </summary>
    /// <param name="sqliteFile">The journal's file where the provider is SQLite.</param>
    /// <exception cref="UserErrorException">Another process holds it, or it cannot be used; names the holder.</exception>
    public static IJournalHold Hold(JournalSettings settings, string sqliteFile) => settings.Provider switch
    {
        JournalProvider.Sqlite => SqliteFile.Prepare(sqliteFile),
        JournalProvider.Postgresql => PostgresHold.Take(settings),
        _ => throw new InvalidOperationException($"journal.provider {settings.Provider} is unknown"),
    };

    /// <param name="sqliteFile">The journal's file where the provider is SQLite; held by <see cref="Hold"/>.</param>
    public static AkkaConfigurationBuilder WithSqlJournal(this AkkaConfigurationBuilder builder, JournalSettings settings, string sqliteFile)
    {
        DataOptions options = settings.Provider switch
        {
            JournalProvider.Sqlite => new DataOptions()
                .UseConnectionString(ProviderName.SQLiteMS, $"Data Source={sqliteFile}")
                .UseInterceptor(new DurableEnough()),
            JournalProvider.Postgresql when settings.ConnectionString.Length == 0 =>
                throw new UserErrorException("ghpo.journal.connection-string is empty: provider = postgresql needs one."),
            JournalProvider.Postgresql => new DataOptions().UseConnectionString(ProviderName.PostgreSQL15, settings.ConnectionString),
            _ => throw new InvalidOperationException($"journal.provider {settings.Provider} is unknown"),
        };
        return builder
            .AddSetup(new DataOptionsSetup(options))
            .AddHocon(Plugins(options.ConnectionOptions.ProviderName!), HoconAddMode.Prepend)
            .AddHocon(SqlPersistence.DefaultConfiguration, HoconAddMode.Append)
            .WithCustomSerializer("ghpo-event", GhpoEventSerializer.Types, system => new GhpoEventSerializer(system));
    }

    /// <summary>
    /// The provider is named once more although the data options know it: the plugin looks here when it makes the tables, and a provider that it does not
    /// find gets no unique index on (persistence_id, sequence_number). That index is what fences a stale writer, and what recovery finds its rows by.
    /// </summary>
    private static string Plugins(string provider) => $$"""
        akka.persistence {
          journal {
            plugin = "akka.persistence.journal.sql"
            auto-start-journals = ["akka.persistence.journal.sql"]
            sql.provider-name = "{{provider}}"
          }
          snapshot-store {
            plugin = "akka.persistence.snapshot-store.sql"
            sql.provider-name = "{{provider}}"
          }
        }
        """;

    /// <summary>
    /// With a write-ahead log, synchronous = NORMAL leaves the fsync to the log's checkpoints. A killed process loses nothing; a power cut may
    /// lose the newest events, and the journal stays whole: the run resumes a little earlier. Writes become several times as fast.
    /// </summary>
    private sealed class DurableEnough : ConnectionInterceptor
    {
        public override void ConnectionOpened(ConnectionEventData eventData, DbConnection connection) => Set(connection);

        public override Task ConnectionOpenedAsync(ConnectionEventData eventData, DbConnection connection, CancellationToken cancellationToken)
        {
            Set(connection);
            return Task.CompletedTask;
        }

        private static void Set(DbConnection connection)
        {
            using DbCommand pragma = connection.CreateCommand();
            pragma.CommandText = "PRAGMA synchronous = NORMAL";
            pragma.ExecuteNonQuery();
        }
    }
}
