using System.Collections.Immutable;
using Ghpo.Rollout;

namespace Ghpo.Learning;

/// <summary>
/// What <see cref="TrainerActor"/> is told and answers. Commands are worked off in the order they come, one at a time; each
/// has one answer: its own, or <see cref="TrainerFailed"/>. Weights never travel in a message.
/// </summary>
public static class TrainerProtocol
{
    /// <summary>Starts afresh: the newest whole checkpoint, or the base model if there is none. Answered by <see cref="Restored"/>.</summary>
    /// <param name="Folders">Full paths, newest first.</param>
    public sealed record Restore(ImmutableArray<string> Folders);

    /// <param name="Folder">The checkpoint taken; null: the base model.</param>
    /// <param name="Invalid">What is wrong with each newer checkpoint.</param>
    public sealed record Restored(PolicyVersion Version, string? Folder, ImmutableArray<string> Invalid);

    /// <summary>Folds a step's groups in, sorted by group. Answered by <see cref="Trained"/>.</summary>
    /// <param name="Learning">What the step is learned with.</param>
    /// <param name="TotalSteps">S of the learning-rate schedule.</param>
    public sealed record Train(int Step, long Epoch, ImmutableArray<SettledGroup> Groups, LearningSettings Learning, int TotalSteps);

    /// <param name="PolicyHash">Hash of the weights after the step.</param>
    public sealed record Trained(int Step, PolicyVersion Version, string PolicyHash, StepMetrics Metrics);

    /// <summary>Puts the current weights into the policy store. Answered by <see cref="Published"/>.</summary>
    public sealed record Publish(long Epoch);

    public sealed record Published(long Epoch, PolicyVersion Version, string Hash);

    /// <summary>Answered by <see cref="CheckpointSaved"/>.</summary>
    /// <param name="Folder">Full path. What stands there is replaced: a learner that died before it could journal it has left it.</param>
    public sealed record SaveCheckpoint(int NextStep, string Folder);

    public sealed record CheckpointSaved(int NextStep, string Hash);

    /// <summary>
    /// Answered by <see cref="CheckpointsDeleted"/>, also where a folder stays: it costs space, nothing else, and is tried again after the next checkpoint.
    /// </summary>
    public sealed record DeleteCheckpoints(ImmutableArray<string> Folders);

    public sealed record CheckpointsDeleted;

    /// <summary>Answered by <see cref="Evaluated"/>.</summary>
    public sealed record Evaluate;

    public sealed record Evaluated(EvaluationResult Result);

    /// <summary>The command failed. The weights may be half changed: only <see cref="Restore"/> is of use now.</summary>
    /// <param name="Task">What was tried, as a reader of the log would say it.</param>
    public sealed record TrainerFailed(string Task, string Reason);

    /// <summary>The command was not begun: another learner may have taken the run over.</summary>
    /// <param name="Task">As in <see cref="TrainerFailed"/>.</param>
    public sealed record Superseded(string Task, Journal.SupersededException Cause);
}
