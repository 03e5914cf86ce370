using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Sql.Journal;

namespace Ghpo.Tests.Journal;

/// <summary>What happens at one event of one actor.</summary>
/// <param name="persistenceId">Whose event.</param>
/// <param name="sequenceNumber">Which event.</param>
/// <param name="refuse">True: the write fails. False: it succeeds, but the actor is stopped before it hears of it.</param>
internal sealed class KillSwitch(string persistenceId, long sequenceNumber, bool refuse) : Setup
{
    private int _sprung;

    public bool Refuse { get; } = refuse;

    public bool Sprung => _sprung > 0;

    /// <summary>Finds the actor to stop.</summary>
    public Func<Task<IActorRef>>? Victim { get; set; }

    public bool Springs(AtomicWrite write) =>
        write.PersistenceId == persistenceId
        && write.LowestSequenceNr <= sequenceNumber
        && write.HighestSequenceNr >= sequenceNumber
        && Interlocked.Increment(ref _sprung) == 1;
}

/// <summary>The SQL journal, with a <see cref="KillSwitch"/> in it.</summary>
internal sealed class KillingJournal : SqlWriteJournal
{
    private readonly KillSwitch _killSwitch;

    public KillingJournal(Config config)
        : base(config)
    {
        _killSwitch = Context.System.Settings.Setup.Get<KillSwitch>().Value;
    }

    protected override async Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        ImmutableArray<AtomicWrite> writes = [.. messages];
        bool springs = writes.Any(_killSwitch.Springs);
        if (springs && _killSwitch.Refuse)
        {
            throw new IOException("the disk is full");
        }

        IImmutableList<Exception> rejected = await base.WriteMessagesAsync(writes, cancellationToken);
        if (springs)
        {
            // Stop is a system message: it overtakes the news that the event is written.
            ((IInternalActorRef)await _killSwitch.Victim!()).Stop();
        }

        return rejected;
    }
}
