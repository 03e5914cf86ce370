namespace Ghpo.Journal;

/// <summary>ghpo.journal</summary>
public sealed record JournalSettings(JournalProvider Provider, string ConnectionString);

public enum JournalProvider
{
    Sqlite,
    Postgresql,
}
