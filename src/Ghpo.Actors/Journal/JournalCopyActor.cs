using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using Ghpo.Configuration;

namespace Ghpo.Journal;

/// <summary>
/// Writes one stream of a new journal, through the plugin and the serializer that its owner will read it with.
/// <para>Lifecycle: looks whether the stream is empty, then answers each <see cref="Write"/> with <see cref="Written"/>.</para>
/// <para>Failure: what goes wrong goes into <c>failed</c>, and nothing is answered any more. A stream that holds events already is a
/// <see cref="UserErrorException"/>.</para>
/// </summary>
public sealed class JournalCopyActor : ReceivePersistentActor
{
    private readonly TaskCompletionSource _failed;

    public JournalCopyActor(string stream, TaskCompletionSource failed)
    {
        PersistenceId = stream;
        _failed = failed;
        Recover<RecoveryCompleted>(_ => RequireEmpty());
        Recover<object>(_ => { });
        Command<Write>(WriteAll);
    }

    public override string PersistenceId { get; }

    protected override void OnRecoveryFailure(Exception reason, object? message = null) => _failed.TrySetException(reason);

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) => _failed.TrySetException(cause);

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) => _failed.TrySetException(cause);

    private void RequireEmpty()
    {
        if (LastSequenceNr > 0)
        {
            _failed.TrySetException(new UserErrorException(
                $"The database already holds {LastSequenceNr} events of {PersistenceId}, of another run: give the new run an empty one with "
                + "--set journal.connection-string=…, or --set journal.provider=sqlite."));
        }
    }

    private void WriteAll(Write command)
    {
        if (_failed.Task.IsCompleted)
        {
            return;
        }

        IActorRef asker = Sender;
        int toWrite = command.Events.Length;
        PersistAll(command.Events, _ =>
        {
            if (--toWrite == 0)
            {
                asker.Tell(new Written());
            }
        });
    }

    /// <summary>Events to append; at least one. Answered by <see cref="Written"/> once all are in the journal.</summary>
    public sealed record Write(ImmutableArray<object> Events);

    public sealed record Written;
}
