namespace Ghpo.Journal;

/// <summary>ghpo.journal</summary>
public sealed record JournalSettings(JournalProvider Provider, string ConnectionString, KeepRollouts KeepRollouts);

public enum JournalProvider
{
    Sqlite,
    Postgresql,
}

/// <summary>How long the tokens and log-probabilities of rollouts stay in the journal.</summary>
public enum KeepRollouts
{
    /// <summary>For good: the run can be replayed from the base model.</summary>
    All,

    /// <summary>As long as a kept checkpoint needs them to be folded on from; what became of each group stays.</summary>
    LastCheckpoints,
}
