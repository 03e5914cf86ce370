using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>What is leased: one attempt at one group.</summary>
public readonly record struct WorkKey(GroupId Group, int Attempt)
{
    public static WorkKey Of(PromptedGroup prompted) => new(prompted.Attempt.Group, prompted.Attempt.Attempt);

    public override string ToString() => $"{Group}.{Attempt}";
}

/// <summary>A worker's right, and duty, to sample a group.</summary>
/// <param name="Oldest">The oldest policy version that the group may be sampled under.</param>
/// <param name="PendingSince">When the group became pending; null: it was not, this is its second lease.</param>
/// <param name="Taken">When; times are since the ledger's owner began.</param>
/// <param name="Deadline">When it ends without a result.</param>
public sealed record Lease(
    WorkKey Key, PromptedGroup Prompted, PolicyVersion Oldest, string Worker, TimeSpan? PendingSince, TimeSpan Taken, TimeSpan Deadline);

/// <summary>What a result is worth.</summary>
public enum Delivery
{
    /// <summary>The group's result: the first one.</summary>
    Accepted,

    /// <summary>The group has one already, or was never asked for.</summary>
    Repeated,

    /// <summary>Of another epoch, or under a policy too old for its step. The group is still to be sampled.</summary>
    Stale,
}

/// <summary>
/// Who works on what: the truth about it, whatever the streams lose. Not thread-safe; time comes in as a value.
/// <code>
/// Offer ─▶ pending ─▶ Take ─▶ leased ─▶ Deliver: accepted, forgotten
///             ▲                 │ deadline, loss or failure of its last lease
///             └─────────────────┘
/// </code>
/// A group that is open is pending or has one or two leases, of different workers; the second one is a straggler's. Any result of an open group is as
/// good as another, lease or no lease: sampling is a function of run seed, group, attempt and policy version. So the first one counts, and the rest is
/// <see cref="Delivery.Repeated"/>.
/// <para>
/// Groups that come back for a hint go before fresh ones of their step, and steps go in their order. The oldest policy that a group may be sampled under never falls from one step to the
/// next; so where the next group in order is too new for a worker's policy, all are.
/// </para>
/// <para>Whatever is asked at every message takes a time that does not grow with the number of groups, but for its logarithm.</para>
/// </summary>
/// <param name="deadline">How long a lease lasts.</param>
internal sealed class LeaseLedger(TimeSpan deadline)
{
    /// <summary>Leases that a group has at most.</summary>
    public const int MostLeases = 2;

    private readonly Dictionary<WorkKey, Work> _open = [];
    private readonly SortedSet<Work> _pending = new(WorkOrder.Instance);
    private readonly SortedSet<(TimeSpan Since, long Order)> _waiting = [];

    /// <summary>Groups with one lease, the one that has been out longest first.</summary>
    private readonly SortedSet<Work> _alone = new(LeaseOrder.Instance);
    private readonly Dictionary<string, Dictionary<WorkKey, Lease>> _held = [];
    private long _offers;

    /// <summary>Groups that no worker has in hand.</summary>
    public int Pending => _pending.Count;

    /// <summary>Groups that at least one worker has in hand.</summary>
    public int Leased => _open.Count - _pending.Count;

    /// <summary>Groups without a result.</summary>
    public int Open => _open.Count;

    /// <summary>The learner's epoch, once it is known; results of another one are stale.</summary>
    public long? Epoch { get; set; }

    /// <summary>A group to be sampled; one that is open already changes nothing.</summary>
    public void Offer(PromptedGroup prompted, PolicyVersion oldest, TimeSpan now)
    {
        var work = new Work(prompted, oldest, _offers++) { PendingSince = now };
        if (_open.TryAdd(work.Key, work))
        {
            Pend(work);
        }
    }

    /// <summary>When the group that has waited longest became pending; null: none is.</summary>
    public TimeSpan? WaitingSince => _waiting.Count == 0 ? null : _waiting.Min.Since;

    /// <summary>The oldest version that any pending group can be sampled under; null: none is pending.</summary>
    public PolicyVersion? OldestWanted => _pending.Min?.Oldest;

    /// <summary>When the lease was taken that has been the only one of its group for longest; null: there is none.</summary>
    public TimeSpan? AloneSince => _alone.Min?.Leases[0].Taken;

    public int HeldBy(string worker) => _held.TryGetValue(worker, out Dictionary<WorkKey, Lease>? leases) ? leases.Count : 0;

    public IEnumerable<Lease> LeasesOf(string worker) => _held.TryGetValue(worker, out Dictionary<WorkKey, Lease>? leases) ? leases.Values : [];

    /// <summary>Who has the group in hand.</summary>
    public IEnumerable<string> HoldersOf(WorkKey key) => _open.TryGetValue(key, out Work? work) ? work.Leases.Select(lease => lease.Worker) : [];

    /// <summary>Leases the next pending group that a worker with this policy can sample.</summary>
    /// <returns>Null: there is none.</returns>
    public Lease? Take(string worker, PolicyVersion holds, TimeSpan now)
    {
        if (_pending.Min is not { } work || work.Oldest > holds)
        {
            return null;
        }

        Unpend(work);
        return Grant(work, worker, now);
    }

    /// <summary>Leases, for the second time, the group that has been out longest.</summary>
    /// <param name="least">A lease younger than this is no straggler's.</param>
    /// <param name="mayDouble">Whether a lease of that other worker may be doubled by this one.</param>
    /// <returns>Null: there is none.</returns>
    public Lease? TakeStraggler(string worker, PolicyVersion holds, TimeSpan least, Func<string, bool> mayDouble, TimeSpan now)
    {
        Work? straggler = _alone
            .TakeWhile(work => now - work.Leases[0].Taken >= least)
            .FirstOrDefault(work => work.Oldest <= holds && work.Leases[0].Worker != worker && mayDouble(work.Leases[0].Worker));
        return straggler is null ? null : Grant(straggler, worker, now);
    }

    /// <summary>A result has come in.</summary>
    public Delivery Deliver(string worker, WorkKey key, long epoch, PolicyVersion version, TimeSpan now)
    {
        if (!_open.TryGetValue(key, out Work? work))
        {
            return Delivery.Repeated;
        }

        if (epoch != Epoch || version < work.Oldest)
        {
            End(worker, key, now);
            return Delivery.Stale;
        }

        foreach (Lease lease in work.Leases)
        {
            _held[lease.Worker].Remove(key);
        }

        _open.Remove(key);
        _alone.Remove(work);
        if (work.Leases.Count == 0)
        {
            Unpend(work);
        }

        return Delivery.Accepted;
    }

    /// <summary>Ends one lease, where there is one; the group is pending again if it was its last.</summary>
    /// <returns>True if there was one.</returns>
    public bool End(string worker, WorkKey key, TimeSpan now)
    {
        if (!_held.TryGetValue(worker, out Dictionary<WorkKey, Lease>? leases) || !leases.Remove(key, out Lease? lease))
        {
            return false;
        }

        Work work = _open[key];
        _alone.Remove(work);
        work.Leases.Remove(lease);
        if (work.Leases.Count == 0)
        {
            work.PendingSince = now;
            Pend(work);
        }
        else
        {
            _alone.Add(work);
        }

        return true;
    }

    /// <summary>Ends all leases of a worker.</summary>
    /// <returns>What they were of.</returns>
    public ImmutableArray<WorkKey> Release(string worker, TimeSpan now)
    {
        ImmutableArray<WorkKey> keys = [.. LeasesOf(worker).Select(lease => lease.Key)];
        foreach (WorkKey key in keys)
        {
            End(worker, key, now);
        }

        return keys;
    }

    /// <summary>Ends the leases whose deadline has passed, and says which.</summary>
    public ImmutableArray<Lease> Expire(TimeSpan now)
    {
        ImmutableArray<Lease> expired = [.. _held.Values.SelectMany(leases => leases.Values).Where(lease => lease.Deadline <= now)];
        foreach (Lease lease in expired)
        {
            End(lease.Worker, lease.Key, now);
        }

        return expired;
    }

    private Lease Grant(Work work, string worker, TimeSpan now)
    {
        var lease = new Lease(
            work.Key, work.Prompted, work.Oldest, worker, work.Leases.Count == 0 ? work.PendingSince : null, now, now + deadline);
        _alone.Remove(work);
        work.Leases.Add(lease);
        if (work.Leases.Count == 1)
        {
            _alone.Add(work);
        }

        if (!_held.TryGetValue(worker, out Dictionary<WorkKey, Lease>? leases))
        {
            _held[worker] = leases = [];
        }

        leases.Add(work.Key, lease);
        return lease;
    }

    private void Pend(Work work)
    {
        _pending.Add(work);
        _waiting.Add((work.PendingSince, work.Order));
    }

    private void Unpend(Work work)
    {
        _pending.Remove(work);
        _waiting.Remove((work.PendingSince, work.Order));
    }

    private sealed class Work(PromptedGroup prompted, PolicyVersion oldest, long order)
    {
        public WorkKey Key { get; } = WorkKey.Of(prompted);

        public PromptedGroup Prompted { get; } = prompted;

        public PolicyVersion Oldest { get; } = oldest;

        public long Order { get; } = order;

        public TimeSpan PendingSince { get; set; }

        /// <summary>Oldest first.</summary>
        public List<Lease> Leases { get; } = [];
    }

    /// <summary>A group without a lease stands nowhere; it is asked about, all the same, when it is taken off.</summary>
    private sealed class LeaseOrder : IComparer<Work>
    {
        public static readonly LeaseOrder Instance = new();

        public int Compare(Work? left, Work? right) => (TakenOf(left!), left!.Order).CompareTo((TakenOf(right!), right!.Order));

        private static TimeSpan TakenOf(Work work) => work.Leases.Count == 0 ? TimeSpan.MaxValue : work.Leases[0].Taken;
    }

    private sealed class WorkOrder : IComparer<Work>
    {
        public static readonly WorkOrder Instance = new();

        public int Compare(Work? left, Work? right) =>
            (left!.Key.Group.Step, -left.Key.Attempt, left.Order).CompareTo((right!.Key.Group.Step, -right.Key.Attempt, right.Order));
    }
}
