using Akka.Actor;
using Akka.Event;
using Ghpo.Configuration;
using Ghpo.Inspection;

namespace Ghpo.Journal;

/// <summary>
/// Prunes a live run's journal (<c>journal.keep-rollouts = last-checkpoints</c>): when it starts, and after each checkpoint. Has a thread of its
/// own, since it waits for the database.
/// <para>Failure: what cannot be pruned costs space and nothing else; it is logged, and tried again after the next checkpoint.</para>
/// </summary>
public sealed class RolloutRetentionActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly RolloutRetention _retention;

    public RolloutRetentionActor(GhpoSettings started, string sqliteFile)
    {
        _retention = new RolloutRetention(started, sqliteFile);
        Receive<RunEvents.CheckpointWritten>(_ => Prune());
    }

    public static Props Props(GhpoSettings started, string sqliteFile) =>
        Akka.Actor.Props.Create(() => new RolloutRetentionActor(started, sqliteFile)).WithDispatcher("ghpo-retention-dispatcher");

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe<RunEvents.CheckpointWritten>(Self);
        Prune();
    }

    private void Prune()
    {
        try
        {
            int groups = _retention.Prune();
            if (groups > 0)
            {
                _log.Info("The tokens of {Groups} groups are pruned from the journal", groups);
            }
        }
        catch (Exception failure)
        {
            _log.Warning(failure, "The journal could not be pruned; it is tried again after the next checkpoint");
        }
    }
}
