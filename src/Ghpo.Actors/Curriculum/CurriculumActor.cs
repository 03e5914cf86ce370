using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Ghpo.Configuration;
using Ghpo.Journal;
using Ghpo.Problems;
using static Ghpo.Curriculum.CurriculumProtocol;

namespace Ghpo.Curriculum;

/// <summary>
/// Decides which problems a step trains on and remembers how they went.
/// <para>Lifecycle: recovers by folding its journal (from the newest snapshot on), then answers. Every answer that rests on an event is sent
/// after the event is in the journal, so whoever got one never sees it contradicted. All commands are idempotent: askers repeat them.</para>
/// <para>Failure: a journal that cannot be written stops the actor; its parent starts it again and it recovers. A journal whose open plans
/// name problems that the data set does not hold fails with a <see cref="UserErrorException"/>.</para>
/// </summary>
public sealed class CurriculumActor : JournalledActor
{
    public const string JournalId = "curriculum";

    /// <summary>Events between snapshots: some hundred kilobytes of replay at most.</summary>
    private const int SnapshotEvery = 1000;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CurriculumPlanner _planner;
    private CurriculumState _state = CurriculumState.Empty;

    public CurriculumActor(CurriculumSettings settings, long seed, ImmutableArray<ProblemId> problems)
    {
        _planner = new CurriculumPlanner(settings, seed, problems);

        Recover<SnapshotOffer>(offer => _state = (CurriculumState)offer.Snapshot);
        Recover<StepPlanned>(planned => _state = _state.Apply(planned));
        Recover<OutcomeRecorded>(outcome => _state = _state.Apply(outcome));
        Recover<RecoveryCompleted>(_ => RequireKnownProblems([.. problems]));

        Command<PlanStep>(Plan);
        Command<RecordOutcome>(Record);
        Command<CloseStep>(close => _state = _state.Close(close.Step));
        Command<GetCurriculum>(_ => Sender.Tell(View()));
        Command<GetProblem>(query => Sender.Tell(new ProblemView(query.Problem, _state.Problems.GetValueOrDefault(query.Problem))));

        Command<SaveSnapshotSuccess>(saved => DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(failed => _log.Warning(failed.Cause, "Curriculum snapshot not saved; recovery replays more of the journal"));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(failed => _log.Warning(failed.Cause, "Old curriculum snapshots not deleted"));
    }

    public override string PersistenceId => JournalId;

    public static Props Props(CurriculumSettings settings, long seed, ImmutableArray<ProblemId> problems) =>
        Akka.Actor.Props.Create(() => new CurriculumActor(settings, seed, problems));

    private void Plan(PlanStep command)
    {
        if (_state.Open.TryGetValue(command.Step, out PlannedStep? planned))
        {
            Sender.Tell(new StepPlan(command.Step, planned.Groups));
            return;
        }

        if (command.Step != _state.NextStep)
        {
            string reason = command.Step < _state.NextStep ? "is closed" : $"comes after step {_state.NextStep}, which has no plan yet";
            Sender.Tell(new Status.Failure(new InvalidOperationException($"Step {command.Step} cannot be planned: it {reason}.")));
            return;
        }

        Persist(_planner.Plan(_state), planned =>
        {
            _state = _state.Apply(planned);
            Sender.Tell(new StepPlan(planned.Step, planned.Groups));
            SnapshotIfDue();
        });
    }

    private void Record(RecordOutcome command)
    {
        if (_state.HasOutcome(command.Group))
        {
            Sender.Tell(new OutcomeNoted(command.Group));
            return;
        }

        if (!_state.Open.ContainsKey(command.Group.Step))
        {
            Sender.Tell(new Status.Failure(new InvalidOperationException($"Group {command.Group} has an outcome, but its step was never planned.")));
            return;
        }

        var recorded = new OutcomeRecorded(
            command.Group, command.Problem, command.Settlement, command.HintRatio, command.Correct, command.Judged);
        Persist(recorded, outcome =>
        {
            _state = _state.Apply(outcome);
            Sender.Tell(new OutcomeNoted(outcome.Group));
            SnapshotIfDue();
        });
    }

    private void SnapshotIfDue()
    {
        if (LastSequenceNr % SnapshotEvery == 0)
        {
            SaveSnapshot(_state);
        }
    }

    private CurriculumView View() =>
        new(_planner.PassOf(_state), _planner.CursorOf(_state), _planner.Problems, _state.Problems.Count, [.. _state.Open.Keys]);

    private void RequireKnownProblems(HashSet<ProblemId> known)
    {
        foreach (PlannedGroup group in _state.Open.Values.SelectMany(step => step.Groups))
        {
            if (!known.Contains(group.Problem))
            {
                throw new UserErrorException(
                    $"The journal plans problem {group.Problem} for group {group.Group}, but the data set does not hold it: "
                    + "resume with the data set the run began with, or start a new run.");
            }
        }
    }
}
