using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Inspection;
using Ghpo.Rollout;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Learning.SteeringProtocol;

namespace Ghpo.Learning;

/// <summary>
/// The learner as a fold over its events. The order in which a step's groups arrived leaves no trace in it, and a repeated event changes
/// nothing.
/// </summary>
/// <param name="Epoch">The newest epoch; 0 before the first.</param>
/// <param name="NextStep">The first step that is not committed; also the policy version, because every step makes one.</param>
/// <param name="TotalRolloutTokens">Completion tokens sampled for the committed steps.</param>
/// <param name="Settled">
/// Settled groups by step and index: those of steps to be trained, and those of committed steps that the newest checkpoint does not cover,
/// which a recovery folds again.
/// </param>
/// <param name="CommittedHashes">Hash of the weights after each committed step that the newest checkpoint does not cover.</param>
/// <param name="Checkpoints">
/// The newest checkpoints taken, oldest first, and what a forked run began with; the files of the older ones may be deleted. Not all: a snapshot must
/// not grow with the run.
/// </param>
/// <param name="Evaluations">The newest measurements, in the order they were taken.</param>
/// <param name="Controls">What users changed, in the order they did.</param>
/// <param name="Pause">The pause that is in force; null: none.</param>
public sealed record LearnerState(
    long Epoch,
    int NextStep,
    long TotalRolloutTokens,
    ImmutableSortedDictionary<int, ImmutableSortedDictionary<int, SettledGroup>> Settled,
    ImmutableSortedDictionary<int, string> CommittedHashes,
    ImmutableList<CheckpointTaken> Checkpoints,
    ImmutableList<EvaluationResult> Evaluations,
    ImmutableList<ControlApplied> Controls,
    RunSteered? Pause = null)
{
    /// <summary>Checkpoints and measurements that are remembered; more than a run may keep.</summary>
    public const int Remembered = 128;

    public static LearnerState Empty { get; } = new(
        0,
        0,
        0,
        ImmutableSortedDictionary<int, ImmutableSortedDictionary<int, SettledGroup>>.Empty,
        ImmutableSortedDictionary<int, string>.Empty,
        [],
        [],
        []);

    /// <summary>Version of the weights after all committed steps.</summary>
    public PolicyVersion Version => new(NextStep);

    /// <summary>The first step that the newest checkpoint does not cover; 0 without one.</summary>
    public int CheckpointStep => Checkpoints.IsEmpty ? 0 : Checkpoints[^1].NextStep;

    /// <summary>The checkpoints that stay on disk, oldest first: the last <paramref name="keep"/>, and the one that a forked run began with.</summary>
    public ImmutableArray<CheckpointTaken> KeptCheckpoints(int keep) =>
        [.. Checkpoints.Where((taken, index) => index >= Checkpoints.Count - keep || taken.Folder == RunForked.Origin)];

    public LearnerState Apply(EpochStarted started) => this with { Epoch = started.Epoch };

    public LearnerState Apply(GroupSettled settled)
    {
        GroupId id = settled.Group.Group;
        return HasSettled(id)
            ? this
            : this with { Settled = Settled.SetItem(id.Step, GroupsOf(id.Step).Add(id.Index, settled.Group)) };
    }

    public LearnerState Apply(StepCommitted committed) => committed.Step < NextStep
        ? this
        : this with
        {
            NextStep = committed.Step + 1,
            TotalRolloutTokens = committed.Report.TotalRolloutTokens,
            CommittedHashes = CommittedHashes.SetItem(committed.Step, committed.PolicyHash),
        };

    public LearnerState Apply(CheckpointTaken taken) => this with
    {
        Checkpoints = Newest(Checkpoints.RemoveAll(checkpoint => checkpoint.NextStep >= taken.NextStep).Add(taken)),
        Settled = Settled.RemoveRange(Settled.Keys.TakeWhile(step => step < taken.NextStep)),
        CommittedHashes = CommittedHashes.RemoveRange(CommittedHashes.Keys.TakeWhile(step => step < taken.NextStep)),
    };

    public LearnerState Apply(PolicyEvaluated evaluated) => IsEvaluated(evaluated.Result.Version)
        ? this
        : this with { Evaluations = Evaluations.RemoveRange(0, Math.Max(0, Evaluations.Count + 1 - Remembered)).Add(evaluated.Result) };

    public LearnerState Apply(ControlApplied applied) => this with { Controls = Controls.Add(applied) };

    public LearnerState Apply(RunSteered steered) => steered.Order switch
    {
        RunOrder.Pause => this with { Pause = steered },
        RunOrder.Resume => this with { Pause = null },
        _ => this,
    };

    /// <summary>Groups of a step that have settled, by index.</summary>
    public ImmutableSortedDictionary<int, SettledGroup> GroupsOf(int step) =>
        Settled.GetValueOrDefault(step, ImmutableSortedDictionary<int, SettledGroup>.Empty);

    public bool HasSettled(GroupId group) => group.Step < NextStep || GroupsOf(group.Step).ContainsKey(group.Index);

    public bool IsEvaluated(PolicyVersion version) => Evaluations.Exists(evaluation => evaluation.Version == version);

    private static ImmutableList<CheckpointTaken> Newest(ImmutableList<CheckpointTaken> checkpoints) => checkpoints.Count <= Remembered
        ? checkpoints
        : checkpoints.RemoveAt(checkpoints.FindIndex(checkpoint => checkpoint.Folder != RunForked.Origin));
}
