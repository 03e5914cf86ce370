using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>What pipeline, dispatcher and the sessions of workers say to each other within the learner's process.</summary>
internal static class DispatchProtocol
{
    /// <summary>
    /// From the pipeline: a group to be sampled under a policy of at least <paramref name="Oldest"/>. Answered by <see cref="RolloutGroup"/> however many workers are
    /// lost over it, or by <see cref="Status.Failure"/> where no worker can help.
    /// </summary>
    /// <param name="Sent">When, as the run's clock has it (<see cref="TimeProvider.GetTimestamp"/>).</param>
    internal sealed record SampleGroup(PromptedGroup Prompted, PolicyVersion Oldest, long Sent);

    /// <summary>From a session's stream, when it has room for a group. Answered by a <see cref="Lease"/> as soon as there is one for it.</summary>
    /// <param name="Sent">When, as the run's clock has it.</param>
    internal sealed record TakeLease(string Worker, long Sent);

    /// <summary>A worker has sampled a group.</summary>
    /// <param name="Sent">When it was whole here, as the run's clock has it.</param>
    internal sealed record Sampled(string Worker, WorkKey Key, ImmutableArray<Completion> Completions, long Epoch, PolicyVersion Version, long Sent);

    /// <summary>A worker has failed at a group.</summary>
    internal sealed record SampleFailed(string Worker, WorkKey Key, Exception Cause);

    /// <summary>To a session: another worker has sampled the group, so its worker need not go on.</summary>
    internal sealed record WithdrawLease(WorkKey Key);

    /// <summary>A worker has loaded a policy.</summary>
    internal sealed record PolicyLoaded(string Worker, HeldPolicy Policy);

    /// <summary>What a worker does, once a second.</summary>
    /// <param name="Starved">Of its sequences, those that wait for memory.</param>
    internal sealed record WorkerReported(string Worker, int RunningSequences, int Starved, long TokensSampled);

    /// <summary>A worker returns what it has in hand and leaves.</summary>
    internal sealed record WorkerLeaves(string Worker);

    /// <summary>The run is asked to stop: a step that nobody samples is not to be waited for.</summary>
    internal sealed record StopExpected;
}
