namespace Ghpo.Journal;

/// <summary>
/// This process's hold on its run's journal, until it is disposed. Whoever writes files that another learner would also write asks it first; events need no
/// asking, for the journal itself takes each sequence number once.
/// </summary>
public interface IJournalHold : IDisposable
{
    /// <summary>As of the last look, which is some seconds old at most.</summary>
    HoldState State { get; }

    /// <summary>Looks now, and takes hold again where it was lost and nobody else has it.</summary>
    Task<HoldState> CheckAsync();

    /// <summary>The same, and whether the database can be written now; for a team that is about to begin, and has nothing under way that writes.</summary>
    Task<HoldState> CheckBeforeStartAsync() => CheckAsync();
}

/// <summary>How a hold stands.</summary>
public abstract record HoldState
{
    private HoldState()
    {
    }

    /// <param name="Term">
    /// Counts from 1 how often this process took hold. Between two terms another process may have held the journal and written to it: what was read in an
    /// earlier term is to be read again.
    /// </param>
    public sealed record Held(int Term) : HoldState;

    /// <summary>The database does not answer; whether somebody else has it cannot be known.</summary>
    public sealed record Unreachable(string Reason) : HoldState;

    /// <summary>For good: another process has it.</summary>
    public sealed record Taken(string By) : HoldState;
}

/// <summary>A hold that nobody can take away: an operating system's lock on a file, or no other process at all.</summary>
public sealed class FirmHold : IJournalHold
{
    public static readonly FirmHold Instance = new();

    private static readonly HoldState _held = new HoldState.Held(1);

    public HoldState State => _held;

    public Task<HoldState> CheckAsync() => Task.FromResult(_held);

    public void Dispose()
    {
    }
}

/// <summary>Another process may have written to the journal since this team read it.</summary>
public sealed class SupersededException(string message) : Exception(message);
