namespace Ghpo.Tests.Journal;

public sealed class SqliteJournalTests : SqlJournalSpecs;

public sealed class PostgresJournalTests : SqlJournalSpecs
{
    public PostgresJournalTests() => TestJournal.UsePostgres(Folder);
}
