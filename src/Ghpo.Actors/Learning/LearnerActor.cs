using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Ghpo.Inspection;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Learning.TrainerProtocol;

namespace Ghpo.Learning;

/// <summary>
/// Owns the run: what has settled, what is in the weights, when the run ends. Never blocks; the arithmetic is <see cref="TrainerActor"/>'s.
/// <para>Lifecycle, one life of it (one epoch):</para>
/// <code>
/// recover ─▶ Restore the trainer from the newest whole checkpoint ─▶ fold committed steps again, comparing hashes
///         ─▶ EpochStarted ─▶ evaluate, publish ─▶ serve ─▶ RunEnded
/// serve: StepOpened(s) once v ≥ s − η ─▶ GroupSettled × G ─▶ noted by curriculum and hints ─▶ Train ─▶ StepCommitted
///        ─▶ PolicyPublished, and behind it, while rollouts go on: checkpoint, evaluation ─▶ next step
/// </code>
/// <para>Failure: a journal that cannot be written stops the actor, and its parent starts it anew after a while. It must be supervised with
/// Stop, not Restart: what the trainer still answers to a dead learner must not reach its successor. All that a predecessor had not
/// journalled is asked for again under the next epoch. A failing trainer, or a fold that gives other weights than the journal says, ends
/// the run with <see cref="RunOutcome.Failed"/>; nothing is journalled then, so it can be resumed.</para>
/// </summary>
public sealed partial class LearnerActor : ReceivePersistentActor, IWithTimers
{
    public const string JournalId = "learner";

    /// <summary>How long curriculum and hint schedule may take to note a group before they are told again: they may have died over it.</summary>
    private static readonly TimeSpan NotesPatience = TimeSpan.FromSeconds(2);

    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly LearnerSettings settings;
    private readonly IActorRef curriculum;
    private readonly IActorRef trainer;
    private readonly TimeProvider time;
    private readonly LearnerNotes notes;
    private readonly HashSet<IActorRef> subscribers = [];
    private readonly SortedDictionary<int, HashSet<IActorRef>> parked = [];

    /// <summary>What the trainer has been told and not answered yet, in order, as <see cref="LearnerView"/> names it.</summary>
    private readonly Queue<string> trainerWork = [];

    private LearnerState state = LearnerState.Empty;
    private LearnerClock clock;
    private Phase phase = Phase.Restoring;
    private PolicyPublished? published;

    /// <summary>The first step that no checkpoint known to be whole covers.</summary>
    private int covered;

    public LearnerActor(LearnerSettings settings, IActorRef curriculum, IActorRef hints, IActorRef trainer, TimeProvider time)
    {
        this.settings = settings;
        this.curriculum = curriculum;
        this.trainer = trainer;
        this.time = time;
        notes = new LearnerNotes(curriculum, hints, Self);
        clock = new LearnerClock(time);

        Recover<SnapshotOffer>(offer => state = (LearnerState)offer.Snapshot);
        Recover<EpochStarted>(started => state = state.Apply(started));
        Recover<GroupSettled>(settled => state = state.Apply(settled));
        Recover<StepCommitted>(committed => state = state.Apply(committed));
        Recover<CheckpointTaken>(taken => state = state.Apply(taken));
        Recover<PolicyEvaluated>(evaluated => state = state.Apply(evaluated));
        Recover<RecoveryCompleted>(_ => Restore());

        Command<OpenStep>(Open);
        Command<SettleGroup>(Settle);
        Command<StopAfterStep>(_ => Stop());
        Command<SubscribeToPolicy>(Subscribe);
        Command<GetLearner>(_ => Sender.Tell(View()));

        Command<OutcomeNoted>(noted =>
        {
            notes.Noted(noted);
            TrainIfComplete();
        });
        Command<ReleaseNoted>(noted =>
        {
            notes.Noted(noted);
            TrainIfComplete();
        });
        Command<TellNotesAgain>(_ => notes.TellAgain());

        Command<Restored>(OnRestored);
        Command<LearnerReplay.Replayed>(replayed => Refold(replayed.State));
        Command<Trained>(OnTrained);
        Command<Published>(OnPublished);
        Command<CheckpointSaved>(OnCheckpointSaved);
        Command<Evaluated>(OnEvaluated);
        Command<TrainerFailed>(failed =>
        {
            trainerWork.Dequeue();
            End(RunOutcome.Failed, $"{failed.Task}: {failed.Reason}");
        });
        Command<Status.Failure>(failure => End(RunOutcome.Failed, failure.Cause.Message));
        Command<Terminated>(OnTerminated);

        Command<SaveSnapshotSuccess>(saved => DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(failed => log.Warning(failed.Cause, "Learner snapshot not saved; recovery replays more of the journal"));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(failed => log.Warning(failed.Cause, "Old learner snapshots not deleted"));
    }

    private enum Phase
    {
        /// <summary>The trainer is being brought to where the journal is.</summary>
        Restoring,
        Serving,

        /// <summary>The last step is committed; its checkpoint and evaluation are awaited.</summary>
        Ending,
        Ended,
    }

    public override string PersistenceId => JournalId;

    public ITimerScheduler Timers { get; set; } = null!;

    private bool Training => trainerWork.Contains(Activities.Training);

    public static Props Props(LearnerSettings settings, IActorRef curriculum, IActorRef hints, IActorRef trainer, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new LearnerActor(settings, curriculum, hints, trainer, time));

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistRejected(cause, @event, sequenceNr);
        Context.Stop(Self);
    }

    private void Subscribe(SubscribeToPolicy command)
    {
        if (subscribers.Add(command.Subscriber))
        {
            Context.Watch(command.Subscriber);
        }

        if (published is not null)
        {
            command.Subscriber.Tell(published);
        }
    }

    private void OnTerminated(Terminated terminated)
    {
        if (terminated.ActorRef.Equals(trainer))
        {
            End(RunOutcome.Failed, "the trainer has stopped");
        }
        else if (phase == Phase.Restoring && terminated.ActorRef.Equals(replay))
        {
            End(RunOutcome.Failed, "the journal could not be read again; the log says why");
        }

        subscribers.Remove(terminated.ActorRef);
    }

    /// <summary>Tells everybody that there is nothing more to come. The actor stays to answer, until its parent stops it.</summary>
    private void End(RunOutcome outcome, string reason)
    {
        if (phase == Phase.Ended)
        {
            return;
        }

        phase = Phase.Ended;
        Timers.CancelAll();
        AnswerParked();
        string? model = covered > 0 && covered == state.NextStep ? PathOf(state.NextStep) : null;
        var ended = new RunEvents.RunEnded(outcome, state.NextStep, reason, model);
        Context.System.EventStream.Publish(ended);
        Context.Parent.Tell(ended);
    }

    private void Ask(string activity, object command)
    {
        trainerWork.Enqueue(activity);
        trainer.Tell(command);
    }

    private LearnerView View() => new(
        state.Epoch,
        state.NextStep,
        state.Version,
        state.GroupsOf(state.NextStep).Count,
        settings.GroupsPerStep - state.GroupsOf(state.NextStep).Count,
        state.CheckpointStep,
        phase == Phase.Ended ? "ended" : trainerWork.TryPeek(out string? activity) ? activity : Activities.Sampling);

    private static string FolderOf(int nextStep) => $"checkpoints/step-{nextStep:D6}";

    private string PathOf(int nextStep) => Path.Combine(settings.Folder, FolderOf(nextStep));

    private static class Activities
    {
        internal const string Restoring = "restoring";
        internal const string Sampling = "sampling";
        internal const string Training = "training";
        internal const string Publishing = "publishing";
        internal const string Evaluating = "evaluating";
        internal const string Checkpointing = "checkpointing";
    }

    private sealed record TellNotesAgain;
}
