using Akka.Persistence;

namespace Ghpo.Journal;

/// <summary>An actor's journal could not be written or read; the actor stops. Told to its parent before that.</summary>
public sealed record JournalFailed(string Stream, Exception Cause);

/// <summary>
/// An actor whose state is its journal. An event that cannot be written or read stops it, because from then on it would know what the journal does not;
/// its parent hears why, and starts it again or ends the run.
/// </summary>
public abstract class JournalledActor : ReceivePersistentActor
{
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistFailure(cause, @event, sequenceNr);
        Context.Parent.Tell(new JournalFailed(PersistenceId, cause), Self);
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistRejected(cause, @event, sequenceNr);
        Context.Parent.Tell(new JournalFailed(PersistenceId, cause), Self);
        Context.Stop(Self);
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        base.OnRecoveryFailure(reason, message);
        Context.Parent.Tell(new JournalFailed(PersistenceId, reason), Self);
    }
}
