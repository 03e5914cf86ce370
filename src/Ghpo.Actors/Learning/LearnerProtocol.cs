using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Inspection;
using Ghpo.Rollout;

namespace Ghpo.Learning;

/// <summary>What <c>LearnerActor</c> is told, answers, publishes, and writes to its journal.</summary>
public static class LearnerProtocol
{
    /// <summary>
    /// Asks for leave to sample a step. Answered by <see cref="StepOpened"/> as soon as the policy is fresh enough (version ≥ step − η), or by
    /// <see cref="NoMoreSteps"/> if the run ends before that step.
    /// </summary>
    public sealed record OpenStep(int Step);

    /// <param name="Settled">Groups of the step that have settled already (a resumed run): not to be sampled again.</param>
    public sealed record StepOpened(int Step, long Epoch, PolicyVersion Version, ImmutableHashSet<int> Settled);

    public sealed record NoMoreSteps(int Step);

    /// <summary>
    /// Hands a settled group over. Idempotent by group. Answered by <see cref="GroupAccepted"/> once it is in the journal, or by
    /// <see cref="GroupRefused"/> if its epoch or its policy version is too old.
    /// </summary>
    /// <param name="Worker">Name of the worker that sampled it; counted in the step's report, and journalled nowhere else.</param>
    public sealed record SettleGroup(SettledGroup Group, string Worker);

    public sealed record GroupAccepted(GroupId Group);

    public sealed record GroupRefused(GroupId Group, string Reason);

    /// <summary>Finish the step in hand, checkpoint, and end the run.</summary>
    public sealed record StopAfterStep;

    /// <summary>Give up the step in hand, checkpoint what is committed, and end the run. Groups that have settled stay in the journal.</summary>
    public sealed record StopBeforeStep;

    /// <summary>Register for <see cref="PolicyPublished"/>; the current version is sent at once if there is one.</summary>
    public sealed record SubscribeToPolicy(Akka.Actor.IActorRef Subscriber);

    /// <summary>A new version can be fetched from the policy store. Workers load it between groups.</summary>
    public sealed record PolicyPublished(long Epoch, PolicyVersion Version, string Hash)
    {
        /// <summary>False where there is no other.</summary>
        public bool IsOlderThan(PolicyPublished? other) => other is not null && (Epoch, Version).CompareTo((other.Epoch, other.Version)) < 0;
    }

    /// <summary>Event, the first after each recovery. Persisted because everything a dead learner still sends must be told apart.</summary>
    public sealed record EpochStarted(long Epoch, DateTimeOffset At);

    /// <summary>Event. Persisted because it is what training consumes: a step can be folded again from these alone.</summary>
    public sealed record GroupSettled(SettledGroup Group);

    /// <summary>
    /// Event, written over a <see cref="GroupSettled"/> once no kept checkpoint needs its tokens (<c>journal.keep-rollouts</c>). Persisted because
    /// what became of a group outlives what it said.
    /// </summary>
    public sealed record GroupPruned(GroupFacts Facts);

    /// <summary>Event, before the first epoch of a run that goes on from a step of another run. Persisted because the journal names its parent.</summary>
    /// <param name="Parent">Name of the other run.</param>
    /// <param name="ParentFolder">Its folder, as a full path, at the time.</param>
    /// <param name="Step">The last step that the two share.</param>
    /// <param name="PolicyHash">Hash of the weights after it.</param>
    /// <param name="Changes">Settings that differ from the parent's, as <c>path=value</c>.</param>
    public sealed record RunForked(
        string Parent, string ParentFolder, int Step, string PolicyHash, ImmutableArray<string> Changes, DateTimeOffset At)
    {
        /// <summary>Where the run keeps the weights that it began with, relative to its folder. No number of checkpoints displaces them.</summary>
        public const string Origin = "origin";
    }

    /// <summary>Event. Persisted because a step that is in the weights must not be trained again.</summary>
    /// <param name="Version">Version after the step.</param>
    /// <param name="PolicyHash">Hash of the weights after the step.</param>
    /// <param name="Report">What was measured in it; the report is rebuilt from the journal alone.</param>
    public sealed record StepCommitted(int Step, PolicyVersion Version, string PolicyHash, StepReport Report);

    /// <summary>Event. Persisted because recovery starts from the newest checkpoint that is whole.</summary>
    /// <param name="NextStep">The first step that is not in the checkpoint.</param>
    /// <param name="Folder">Path relative to the run folder.</param>
    public sealed record CheckpointTaken(int NextStep, string Folder, string Hash);

    /// <summary>Event. Persisted because a resumed run does not measure its starting policy again.</summary>
    public sealed record PolicyEvaluated(EvaluationResult Result);

    /// <summary>Event. Persisted because steps from there on are made with other settings, and whoever folds them again must use the same.</summary>
    /// <param name="FromStep">The first step that it is in force for.</param>
    /// <param name="Key">Full path of the setting; one of <see cref="Configuration.LiveSettings.Keys"/>.</param>
    /// <param name="Value">As it would stand in a file.</param>
    /// <param name="By">Who asked for it.</param>
    /// <param name="At">When.</param>
    public sealed record ControlApplied(int FromStep, string Key, string Value, string By, DateTimeOffset At);

    /// <summary>Query, answered by <see cref="LearnerView"/>.</summary>
    public sealed record GetLearner;

    /// <param name="Opened">The highest step that was opened in this epoch; −1: none.</param>
    /// <param name="Pause">The pause that is in force; null: none.</param>
    /// <param name="NotesAwaited">Curriculum or hint schedule have not acknowledged all groups of the step yet.</param>
    /// <param name="Published">The newest policy that workers were told of in this epoch; null before the first.</param>
    /// <param name="Steps">Of the run, as set by now.</param>
    /// <param name="TokenBudget">Likewise; 0: none.</param>
    public sealed record LearnerView(
        long Epoch,
        int Step,
        PolicyVersion Version,
        int SettledGroups,
        int GroupsAwaited,
        int CheckpointStep,
        string Activity,
        int Opened = -1,
        SteeringProtocol.RunSteered? Pause = null,
        bool NotesAwaited = false,
        PolicyVersion? Published = null,
        int? Steps = null,
        long? TokenBudget = null)
    {
        /// <summary>The last step that will be taken, where the run ends before it has taken all: it is asked to stop, or its tokens are spent. Null: it does not.</summary>
        public int? LastStep { get; init; }
    }
}
