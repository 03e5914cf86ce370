using System.Collections.Immutable;
using Ghpo.Dispatch;
using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Inspection;

/// <summary>What a run tells whoever watches it, on the actor system's event stream. Watching never slows a run.</summary>
public static class RunEvents
{
    /// <param name="NextStep">The first step still to be taken; 0 in a new run.</param>
    /// <param name="Skipped">How many rows of the data are left out, and why; null for none.</param>
    public sealed record RunStarted(
        string Run, string Folder, int NextStep, int Steps, long TokenBudget, int Problems, int HeldOutProblems, string? Skipped = null);

    public sealed record StepCompleted(StepReport Report);

    public sealed record PolicyMeasured(EvaluationResult Result);

    public sealed record CheckpointWritten(int NextStep, string Folder);

    /// <summary>Where the groups are now. Published about twice a second while groups are in flight.</summary>
    /// <param name="Activity">What the learner does: sampling, training, evaluating, checkpointing.</param>
    /// <param name="Steps">Of the run, as set by now; null: as it started.</param>
    /// <param name="TokenBudget">Likewise.</param>
    public sealed record PipelineProgress(
        int Step, int SettledGroups, int GroupsOfStep, string Activity, long RolloutTokens, ImmutableArray<StageDepth> Stages, int? Steps = null, long? TokenBudget = null);

    /// <summary>A stage of the pipeline: groups inside it and the most it can hold.</summary>
    /// <param name="Held">Groups inside that are done and wait for the next stage to take them.</param>
    public sealed record StageDepth(string Stage, int Groups, int Bound, long Passed, int Held = 0);

    /// <summary>A user ordered something, and it is in the journal.</summary>
    public sealed record RunOrdered(RunOrder Order, string By);

    /// <summary>A user changed a setting, and it is in the journal.</summary>
    public sealed record SettingChanged(string Key, string Value, int FromStep, string By);

    /// <summary>The trainer is alive. Published some times a second while it works on something that has parts.</summary>
    public sealed record TrainerProgress(int Done, int Of);

    /// <summary>Something waits longer than it ever had to, or (<paramref name="Over"/>) no longer does.</summary>
    /// <param name="Sentence">What waits for whom, since when.</param>
    public sealed record Stalled(string Sentence, bool Over);

    /// <summary>Clients can connect from now on.</summary>
    /// <param name="Address">HOST:PORT.</param>
    /// <param name="Note">Why it is not the address that was asked for; null: it is.</param>
    public sealed record InspectionOpened(string Address, string? Note);

    /// <summary>Metrics and health are served from now on.</summary>
    public sealed record MetricsServed(Uri Address);

    /// <summary>The workers of all nodes. Published once a second.</summary>
    public sealed record WorkersSeen(WorkerProtocol.WorkersView View);

    public sealed record RunEnded(RunOutcome Outcome, int Steps, string? Reason, string? ModelFolder);
}

public enum RunOutcome
{
    /// <summary>All steps are taken, or the token budget is spent.</summary>
    Completed,

    /// <summary>Stopped on request, with a checkpoint.</summary>
    Stopped,

    Failed,
}

/// <summary>One step, as journal, metrics and reports hold it.</summary>
/// <param name="MeanReward">Mean over the samples trained on (the level each group settled at).</param>
/// <param name="Accuracy">Share of Correct among the samples that count, at the level each group settled at.</param>
/// <param name="FirstAttemptSolved">Share of groups with a correct answer without any hint.</param>
/// <param name="UnhintedAccuracy">Accuracy of the groups that settled without a hint; null if there are none.</param>
/// <param name="HintedAccuracy">Accuracy of the groups that settled with one; null if there are none.</param>
/// <param name="FormatShare">Share of samples of the required form.</param>
/// <param name="Settled">Groups solved at each hint ratio, rising from 0.</param>
/// <param name="RolloutTokens">Completion tokens sampled for the step, lower hint levels included.</param>
/// <param name="ExtraTokens">Those of them that were dropped because their group went on to a higher level.</param>
/// <param name="MeanCompletionTokens">Tokens of a trained completion.</param>
/// <param name="TotalRolloutTokens">Completion tokens sampled since the run began.</param>
/// <param name="RolloutSeconds">From the step's opening to its last settled group.</param>
/// <param name="StepSeconds">From the commit before to this one.</param>
/// <param name="Origin">Where its groups came from; null in a journal of before it was measured.</param>
public sealed record StepReport(
    int Step,
    PolicyVersion Version,
    long Epoch,
    int Groups,
    int Samples,
    double MeanReward,
    double Accuracy,
    double FirstAttemptSolved,
    double? UnhintedAccuracy,
    double? HintedAccuracy,
    double FormatShare,
    ImmutableArray<SettledAt> Settled,
    int Unsolved,
    int NoSolution,
    int Unjudged,
    int HintsShortened,
    ImmutableArray<VerdictCount> Verdicts,
    long RolloutTokens,
    long ExtraTokens,
    double MeanCompletionTokens,
    long TotalRolloutTokens,
    double RolloutSeconds,
    double StepSeconds,
    StepMetrics Learning,
    StepOrigin? Origin = null);

/// <summary>Where the groups of a step came from.</summary>
/// <param name="Levels">Accuracy by difficulty, at the hint level that each group settled at; in the order of their names, numbers by size.</param>
/// <param name="MeanStaleness">Mean over the groups of step − policy version: the optimizer steps that sampling was behind.</param>
/// <param name="MostStaleness">The same of the group that was furthest behind.</param>
/// <param name="Workers">Workers that sampled the groups; null where all of them had settled before the process that committed the step began.</param>
public sealed record StepOrigin(ImmutableArray<LevelAccuracy> Levels, double MeanStaleness, int MostStaleness, int? Workers);

/// <summary>Groups solved at one hint ratio.</summary>
public sealed record SettledAt(double HintRatio, int Groups);

public sealed record VerdictCount(Verdict Verdict, int Samples);
