using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Ghpo.Inspection;
using Ghpo.Journal;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Learning.SteeringProtocol;
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
/// journalled is asked for again under the next epoch. So it does where the trainer finds that another learner may have taken the run over. A failing trainer, or a fold that gives other weights than the journal says, ends
/// the run with <see cref="RunOutcome.Failed"/>; nothing is journalled then, so it can be resumed.</para>
/// </summary>
public sealed partial class LearnerActor : JournalledActor, IWithTimers
{
    public const string JournalId = "learner";

    /// <summary>How long curriculum and hint schedule may take to note a group before they are told again: they may have died over it.</summary>
    private static readonly TimeSpan NotesPatience = TimeSpan.FromSeconds(1);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ControlledSettings _controlled;
    private readonly IActorRef _curriculum;
    private readonly IActorRef _hints;
    private readonly IActorRef _trainer;
    private readonly TimeProvider _time;
    private readonly LearnerNotes _notes;
    private readonly HashSet<IActorRef> _subscribers = [];
    private readonly SortedDictionary<int, HashSet<IActorRef>> _parked = [];

    /// <summary>What the trainer has been told and not answered yet, in order, as <see cref="LearnerView"/> names it.</summary>
    private readonly Queue<string> _trainerWork = [];

    private LearnerSettings _settings;
    private LearnerState _state = LearnerState.Empty;
    private LearnerClock _clock;
    private Phase _phase = Phase.Restoring;
    private PolicyPublished? _published;

    /// <summary>The first step that no checkpoint known to be whole covers.</summary>
    private int _covered;

    public LearnerActor(ControlledSettings settings, IActorRef curriculum, IActorRef hints, IActorRef trainer, TimeProvider time)
    {
        _controlled = settings;
        _settings = LearnerSettings.Of(settings.Started, settings.Folder);
        _curriculum = curriculum;
        _hints = hints;
        _trainer = trainer;
        _time = time;
        _notes = new LearnerNotes(curriculum, hints, Self);
        _clock = new LearnerClock(time);

        Recover<SnapshotOffer>(offer => _state = (LearnerState)offer.Snapshot);
        Recover<EpochStarted>(started => _state = _state.Apply(started));
        Recover<GroupSettled>(settled => _state = _state.Apply(settled));
        Recover<StepCommitted>(committed => _state = _state.Apply(committed));
        Recover<CheckpointTaken>(taken => _state = _state.Apply(taken));
        Recover<PolicyEvaluated>(evaluated => _state = _state.Apply(evaluated));
        Recover<ControlApplied>(applied => _state = _state.Apply(applied));
        Recover<RunSteered>(steered => _state = _state.Apply(steered));

        // What became of groups that a checkpoint covers, whose run this one goes on from, who was sent away: told to readers, of no account here.
        Recover<GroupPruned>(_ => { });
        Recover<RunForked>(_ => { });
        Recover<MemberSteered>(_ => { });
        Recover<RecoveryCompleted>(_ =>
        {
            _settings = LearnerSettings.Of(Timeline.Newest, settings.Folder);
            Restore();
        });

        Command<OpenStep>(Open);
        Command<SettleGroup>(Settle);
        Command<StopAfterStep>(_ => Stop());
        Command<SteerRun>(Steer);
        Command<SteerMember>(Note);
        Command<ChangeSetting>(Change);
        Command<StopBeforeStep>(_ => StopBefore());
        Command<SubscribeToPolicy>(Subscribe);
        Command<GetLearner>(_ => Sender.Tell(View()));

        Command<OutcomeNoted>(noted =>
        {
            _notes.Noted(noted);
            TrainIfComplete();
        });
        Command<ReleaseNoted>(noted =>
        {
            _notes.Noted(noted);
            TrainIfComplete();
        });
        Command<TellNotesAgain>(_ => _notes.TellAgain());

        Command<Restored>(OnRestored);
        Command<LearnerReplay.Replayed>(OnReplayed);
        Command<Trained>(OnTrained);
        Command<Published>(OnPublished);
        Command<CheckpointSaved>(OnCheckpointSaved);
        Command<CheckpointsDeleted>(_ =>
        {
            _trainerWork.Dequeue();
            EndIfDone();
        });
        Command<Evaluated>(OnEvaluated);
        Command<TrainerFailed>(failed =>
        {
            _trainerWork.Dequeue();
            End(RunOutcome.Failed, $"{failed.Task}: {failed.Reason}");
        });
        Command<Superseded>(superseded =>
        {
            _log.Warning("Not done: {Task}: {Reason}", superseded.Task, superseded.Cause.Message);
            Context.Parent.Tell(new JournalFailed(PersistenceId, superseded.Cause));
            Context.Stop(Self);
        });
        Command<Status.Failure>(failure => End(RunOutcome.Failed, failure.Cause.Message));
        Command<Terminated>(OnTerminated);

        Command<SaveSnapshotSuccess>(saved => DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(failed => _log.Warning(failed.Cause, "Learner snapshot not saved; recovery replays more of the journal"));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(failed => _log.Warning(failed.Cause, "Old learner snapshots not deleted"));
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

    private bool Training => _trainerWork.Contains(Activities.Training);

    public static Props Props(ControlledSettings settings, IActorRef curriculum, IActorRef hints, IActorRef trainer, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new LearnerActor(settings, curriculum, hints, trainer, time));

    private void Subscribe(SubscribeToPolicy command)
    {
        if (_subscribers.Add(command.Subscriber))
        {
            Context.Watch(command.Subscriber);
        }

        if (_published is not null)
        {
            command.Subscriber.Tell(_published);
        }
    }

    /// <summary>
    /// What users asked for before this epoch, as it will be journalled with it: in force from the first step that is not committed. It counts before it
    /// is journalled, or a run that is given more steps would have ended while it recovers.
    /// </summary>
    private IEnumerable<ControlApplied> RequestedControls => _controlled.Requests
        .Where(request => !_state.Controls.Exists(control => control.Key == request.Key && control.At == request.At))
        .Select(request => new ControlApplied(_state.NextStep, request.Key, request.Value, request.By, request.At));

    private ControlTimeline Timeline => new(_controlled.Started, _state.Controls.AddRange(RequestedControls));

    private void OnTerminated(Terminated terminated)
    {
        if (terminated.ActorRef.Equals(_trainer))
        {
            End(RunOutcome.Failed, "the trainer has stopped");
        }
        else if (terminated.ActorRef.Equals(_replay))
        {
            End(RunOutcome.Failed, "the journal could not be read again; the log says why");
        }

        _subscribers.Remove(terminated.ActorRef);
    }

    /// <summary>Tells everybody that there is nothing more to come. The actor stays to answer, until its parent stops it.</summary>
    private void End(RunOutcome outcome, string reason)
    {
        if (_phase == Phase.Ended)
        {
            return;
        }

        _phase = Phase.Ended;
        Timers.CancelAll();
        AnswerParked();
        string? model = _covered > 0 && _covered == _state.NextStep ? PathOf(_state.NextStep) : null;
        var ended = new RunEvents.RunEnded(outcome, _state.NextStep, reason, model);
        Context.System.EventStream.Publish(ended);
        Context.Parent.Tell(ended);
    }

    private void Ask(string activity, object command)
    {
        _trainerWork.Enqueue(activity);
        _trainer.Tell(command);
    }

    private LearnerView View() => new(
        _state.Epoch,
        _state.NextStep,
        _state.Version,
        _state.GroupsOf(_state.NextStep).Count,
        // After the last step none is awaited.
        _phase is Phase.Ending or Phase.Ended ? 0 : _settings.GroupsPerStep - _state.GroupsOf(_state.NextStep).Count,
        _state.CheckpointStep,
        _phase == Phase.Ended ? "ended" : _trainerWork.TryPeek(out string? activity) ? activity : Activities.Sampling,
        _opened,
        _state.Pause,
        _notes.Awaits(_state.NextStep),
        _published?.Version,
        _settings.Steps,
        _settings.TokenBudget)
    {
        LastStep = _lastStep,
    };

    private static string FolderOf(int nextStep) => $"checkpoints/step-{nextStep:D6}";

    private string PathOf(int nextStep) => Path.Combine(_settings.Folder, FolderOf(nextStep));

    private static class Activities
    {
        internal const string Restoring = "restoring";
        internal const string Sampling = "sampling";
        internal const string Training = "training";
        internal const string Publishing = "publishing";
        internal const string Evaluating = "evaluating";
        internal const string Checkpointing = "checkpointing";
        internal const string Deleting = "deleting old checkpoints";
    }

    private sealed record TellNotesAgain;
}
