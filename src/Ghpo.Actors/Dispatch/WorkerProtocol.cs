using System.Collections.Immutable;
using Ghpo.Hints;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>
/// What the dispatcher of a running pipeline is asked and told about rollout workers, wherever they run. Send it to <see cref="RunActor"/>, which passes it on.
/// </summary>
public static class WorkerProtocol
{
    /// <summary>Query, answered by <see cref="WorkersView"/>.</summary>
    public sealed record GetWorkers;

    /// <param name="Workers">By name. Those that were lost stay for some minutes, so that their loss can be seen.</param>
    /// <param name="PendingGroups">Groups that no worker has in hand.</param>
    /// <param name="LeasedGroups">Groups that one has, or for a straggler two.</param>
    public sealed record WorkersView(ImmutableArray<WorkerView> Workers, int PendingGroups = 0, int LeasedGroups = 0)
    {
        public LeaseWaits LeaseWaits { get; init; } = new(0, TimeSpan.Zero, TimeSpan.Zero);
    }

    /// <summary>
    /// How long leases took to be granted since the dispatcher began: from the instant when there was a group, and a worker that asked, had room and held a policy for it, to the lease.
    /// Quantiles within 5 %.
    /// </summary>
    public sealed record LeaseWaits(long Leases, TimeSpan Median, TimeSpan P99);

    /// <param name="Node">Address of its node, as the cluster knows it.</param>
    /// <param name="Version">The policy that it proved to hold; null before the first.</param>
    /// <param name="Groups">Groups in hand.</param>
    /// <param name="TokensPerSecond">Over the last seconds in which it sampled; 0 before.</param>
    /// <param name="LastHeard">When it last said anything.</param>
    /// <param name="Since">When its health became what it is.</param>
    /// <param name="Why">What made it so, in words; "" where there is nothing to say.</param>
    public sealed record WorkerView(
        string Name,
        string Node,
        WorkerState State,
        PolicyVersion? Version,
        int Groups,
        int RunningSequences,
        double TokensPerSecond,
        DateTimeOffset LastHeard,
        DateTimeOffset Since,
        string Why)
    {
        /// <summary>It is the learner's own process's.</summary>
        public bool IsLocal { get; init; }

        /// <summary>Completion tokens since its session began, as it last reported.</summary>
        public long TokensSampled { get; init; }

        /// <summary>What it has in hand, by group.</summary>
        public ImmutableArray<LeaseView> Leases { get; init; } = [];
    }

    /// <param name="Since">When it got the group.</param>
    public sealed record LeaseView(GroupAttempt Attempt, DateTimeOffset Since);

    /// <summary>Finish what is in hand and take nothing more, until told to resume. Answered by <see cref="WorkerTold"/>.</summary>
    public sealed record DrainWorker(string Name);

    /// <summary>Take groups again. Answered by <see cref="WorkerTold"/>.</summary>
    public sealed record ResumeWorker(string Name);

    /// <param name="Problem">Why nothing was done; null: it was.</param>
    public sealed record WorkerTold(string Name, string? Problem);
}

/// <summary>
/// How a worker stands with its dispatcher:
/// <code>
/// Joining ─▶ Fetching ─▶ Serving ⇄ Suspect ─▶ Lost      Draining from any but Lost, and back
/// </code>
/// </summary>
public enum WorkerState
{
    /// <summary>It has a session, and no policy has been published to it.</summary>
    Joining,

    /// <summary>It has been told of a policy and has not proved that it holds one.</summary>
    Fetching,

    /// <summary>It holds a policy and takes groups.</summary>
    Serving,

    /// <summary>It cannot be heard, or failed at its last groups. What it had in hand goes to others; what it still brings counts.</summary>
    Suspect,

    /// <summary>It finishes what it has in hand and takes nothing more.</summary>
    Draining,

    /// <summary>Its session is over. A worker that comes back has a new one, and begins with a fetch.</summary>
    Lost,
}
