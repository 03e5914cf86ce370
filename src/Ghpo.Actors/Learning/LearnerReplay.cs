using Akka.Actor;
using Akka.Persistence;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Learning;

/// <summary>
/// Reads the learner's whole journal again, as if the checkpoints after <c>fromStep</c> had never been taken, and hands the parent a state that
/// still holds the groups of the committed steps from there on. Needed when the newest checkpoint is damaged: the learner's own state has
/// dropped what that one covers. Writes nothing, answers once with <see cref="Replayed"/>, and stops.
/// </summary>
internal sealed class LearnerReplay : ReceivePersistentActor
{
    private LearnerState _state = LearnerState.Empty;

    public LearnerReplay(int fromStep)
    {
        Recover<EpochStarted>(started => _state = _state.Apply(started));
        Recover<GroupSettled>(settled => _state = _state.Apply(settled));
        Recover<StepCommitted>(committed => _state = _state.Apply(committed));
        Recover<PolicyEvaluated>(evaluated => _state = _state.Apply(evaluated));
        Recover<ControlApplied>(applied => _state = _state.Apply(applied));
        Recover<SteeringProtocol.RunSteered>(steered => _state = _state.Apply(steered));
        Recover<CheckpointTaken>(taken =>
        {
            if (taken.NextStep <= fromStep)
            {
                _state = _state.Apply(taken);
            }
        });
        Recover<GroupPruned>(_ => { });
        Recover<RunForked>(_ => { });
        Recover<RecoveryCompleted>(_ =>
        {
            Context.Parent.Tell(new Replayed(_state));
            Context.Stop(Self);
        });
    }

    public override string PersistenceId => LearnerActor.JournalId;

    public override Recovery Recovery { get; } = new(SnapshotSelectionCriteria.None);

    internal static Props Props(int fromStep) => Akka.Actor.Props.Create(() => new LearnerReplay(fromStep));

    internal sealed record Replayed(LearnerState State);
}
