using Akka.Actor;
using Akka.Event;
using Ghpo.Learning;
using Ghpo.Rollout;
using static Ghpo.Dispatch.WorkerProtocol;

namespace Ghpo.Dispatch;

/// <summary>Which worker gets which group, and what can be seen of it.</summary>
internal sealed partial class DispatcherActor
{
    /// <summary>A group that has waited for so long goes to whoever asks, share or not.</summary>
    private static readonly TimeSpan _sharePatience = TimeSpan.FromMilliseconds(500);

    /// <summary>A lease younger than this is no straggler's, whatever the median is.</summary>
    private static readonly TimeSpan _leastStraggling = TimeSpan.FromSeconds(1);

    /// <summary>Nobody samples for so long: the log names who waits for whom.</summary>
    private static readonly TimeSpan _stallPatience = TimeSpan.FromSeconds(5);

    /// <summary>How long a run that is to stop waits for a worker that could finish its step.</summary>
    private static readonly TimeSpan _abandonPatience = TimeSpan.FromSeconds(5);

    /// <summary>How long a lost worker can be seen.</summary>
    private static readonly TimeSpan _memory = TimeSpan.FromMinutes(5);

    private readonly Queue<TimeSpan> _durations = [];
    private readonly DurationHistogram _waits = new();
    private TimeSpan? _straggling;
    private bool _granting;
    private TimeSpan? _stallNamed;
    private TimeSpan? _stopSince;
    private TimeSpan? _nobodySince;

    /// <summary>
    /// Something has changed that a lease may follow from. What changes meanwhile is looked at together with it: in a large cluster the messages of a moment are many, and a round of giving
    /// looks at all workers.
    /// </summary>
    private void GrantSoon()
    {
        if (!_granting)
        {
            _granting = true;
            Self.Tell(Grant.Token);
        }
    }

    /// <summary>Gives what is pending to whoever waits for work, the least loaded first, until nothing more fits.</summary>
    private void GrantAll()
    {
        _granting = false;
        TimeSpan now = Now;
        if (_ledger.Pending == 0 && (_ledger.AloneSince is not { } alone || now - alone < Straggling))
        {
            return;
        }

        Worker[] able = [.. _workers.Values.Where(CanWork)];
        WorkShares.Give(
            [.. able.Select(worker => new WorkLoad(worker.Room.Groups, _ledger.HeldBy(worker.Id), worker.Speed, worker.Asker is not null))],
            _ledger.Open,
            _ledger.Pending,
            patient: _ledger.WaitingSince is { } since && now - since < _sharePatience,
            index => GiveTo(able[index], now));
    }

    private bool GiveTo(Worker worker, TimeSpan now)
    {
        if (NextFor(worker, now) is not { } lease)
        {
            return false;
        }

        NoteWait(worker, lease);
        worker.Asker!.Tell(lease);
        worker.Asker = null;
        return true;
    }

    private Lease? NextFor(Worker worker, TimeSpan now)
    {
        PolicyVersion holds = worker.Health.Held!.Version;
        return _ledger.Take(worker.Id, holds, now)
            ?? _ledger.TakeStraggler(worker.Id, holds, Straggling, other => _workers.TryGetValue(other, out Worker? holder) && !holder.Node.Equals(worker.Node), now);
    }

    /// <summary>Twice the median of the last leases.</summary>
    private TimeSpan Straggling => _straggling ??= _durations.Count == 0
        ? TimeSpan.MaxValue
        : TimeSpan.FromTicks(Math.Max(_leastStraggling.Ticks, 2 * _durations.Order().ElementAt(_durations.Count / 2).Ticks));

    private bool CanWork(Worker worker) => !worker.Left
        && worker.Health.Held is { } held
        && held.Epoch == _policy?.Epoch
        && worker.Health.MayTake(_ledger.HeldBy(worker.Id));

    /// <summary>From the instant when the worker asked, had room and a policy, and the group was pending. A straggler's second lease is no wait of anybody's.</summary>
    private void NoteWait(Worker worker, Lease lease)
    {
        if (lease.PendingSince is { } pending)
        {
            _waits.Add(Now - (pending > worker.ReadySince ? pending : worker.ReadySince));
        }
    }

    private void NoteDuration(TimeSpan taken)
    {
        _durations.Enqueue(Now - taken);
        if (_durations.Count > 64)
        {
            _durations.Dequeue();
        }

        _straggling = null;
    }

    /// <summary>Says in the log, once a minute, why nobody samples what is pending.</summary>
    private void NameStall()
    {
        if (_ledger.WaitingSince is not { } since || Now - since < _stallPatience || _ledger.Leased > 0)
        {
            _stallNamed = null;
            return;
        }

        if (_stallNamed is null || Now - _stallNamed > TimeSpan.FromMinutes(1))
        {
            _stallNamed = Now;
            string workers = string.Join(", ", _workers.Values.Where(worker => !worker.Left)
                .Select(worker => $"{worker.Name} is {worker.Health.State} since {(Now - worker.Health.Since).TotalSeconds:0} s{(worker.Health.Why.Length > 0 ? $" ({worker.Health.Why})" : "")}"));
            _log.Warning(
                "{Pending} groups have waited {Seconds:0} s for a worker that samples under {Oldest} or newer: {Workers}",
                _ledger.Pending, (Now - since).TotalSeconds, _ledger.OldestWanted, workers.Length > 0 ? workers : "there is none");
        }
    }

    /// <summary>A run that is asked to stop finishes its step; where nobody is there to sample it, it ends at the step before.</summary>
    private void AbandonIfNobodySamples()
    {
        bool somebody = _ledger.Leased > 0 || _workers.Values.Any(worker => !worker.Left && worker.Health.State is WorkerState.Fetching or WorkerState.Serving);
        _nobodySince = somebody || _ledger.Open == 0 ? null : _nobodySince ?? Now;
        if (_stopSince is not null && _nobodySince is { } since && Now - since >= _abandonPatience)
        {
            _log.Warning("Nobody samples the open step; the run stops at the step before it");
            _stopSince = null;
            _learner.Tell(new LearnerProtocol.StopBeforeStep());
        }
    }

    /// <summary>Lost workers can be seen for a while.</summary>
    private void Forget()
    {
        foreach (Worker gone in _workers.Values.Where(worker => worker.Left && Now - worker.Health.Since > _memory).ToArray())
        {
            _workers.Remove(gone.Id);
        }
    }

    private WorkerTold Change(string name, Func<WorkerHealth, WorkerHealth> change)
    {
        if (_workers.Values.FirstOrDefault(worker => worker.Name == name && !worker.Left) is not { } found)
        {
            string known = string.Join(", ", _workers.Values.Where(worker => !worker.Left).Select(worker => worker.Name).Order(StringComparer.Ordinal));
            return new WorkerTold(name, $"there is no worker {name}; there {(known.Length > 0 ? $"are {known}" : "is none")}");
        }

        found.Health = change(found.Health);
        GrantSoon();
        return new WorkerTold(name, null);
    }

    private WorkersView View()
    {
        DateTimeOffset start = _run.Time.GetUtcNow() - Now;
        return new WorkersView(
            [
                .. _workers.Values.OrderBy(worker => worker.Name, StringComparer.Ordinal).Select(worker => new WorkerView(
                    worker.Name,
                    worker.Node.ToString(),
                    worker.Health.State,
                    worker.Health.Held?.Version,
                    _ledger.HeldBy(worker.Id),
                    worker.RunningSequences,
                    worker.Speed,
                    start + worker.Health.LastHeard,
                    start + worker.Health.Since,
                    worker.Health.Why)
                {
                    IsLocal = worker.IsLocal,
                    TokensSampled = worker.TokensSampled,
                    Leases = [.. _ledger.LeasesOf(worker.Id).OrderBy(lease => lease.Key.Group).Select(lease => new LeaseView(lease.Prompted.Attempt, start + lease.Taken))],
                }),
            ],
            _ledger.Pending,
            _ledger.Leased)
        {
            LeaseWaits = new LeaseWaits(_waits.Count, _waits.Quantile(0.5), _waits.Quantile(0.99)),
        };
    }

    /// <summary>One session of a worker.</summary>
    /// <param name="Node">Address of its process.</param>
    /// <param name="Capacity">Groups that its slots hold.</param>
    private sealed record Worker(string Id, string Name, Address Node, IActorRef Session, int Capacity, bool IsLocal)
    {
        /// <summary>Share of the newest second in the measured speed.</summary>
        private const double Newest = 0.3;

        private TimeSpan _countedAt;

        public required WorkerHealth Health { get; set; }

        public WorkerRoom Room { get; set; } = WorkerRoom.Of(Capacity);

        /// <summary>Its own end of the session, where it is on another node.</summary>
        public IActorRef? Peer { get; init; }

        /// <summary>Whoever waits for its next lease; null: nobody does.</summary>
        public IActorRef? Asker { get; set; }

        /// <summary>Since when it asks for nothing though it has nothing; null: it does not.</summary>
        public TimeSpan? MuteSince { get; set; }

        /// <summary>When the last of the things happened that a lease takes on its side: it asked, its last result came, it proved its policy.</summary>
        public TimeSpan ReadySince { get; private set; }

        public int RunningSequences { get; private set; }

        /// <summary>As it last reported.</summary>
        public long TokensSampled { get; private set; }

        /// <summary>Tokens/s while it sampled, a running mean.</summary>
        public double Speed { get; private set; }

        /// <summary>Its session is over.</summary>
        public bool Left { get; set; }

        public void Ready(TimeSpan at) => ReadySince = at > ReadySince ? at : ReadySince;

        public void Count(DispatchProtocol.WorkerReported report, TimeSpan now)
        {
            double seconds = (now - _countedAt).TotalSeconds;
            long sampled = report.TokensSampled - TokensSampled;
            if (RunningSequences > 0 && report.RunningSequences > 0 && sampled > 0 && seconds > 0)
            {
                Speed = Speed == 0 ? sampled / seconds : (Newest * sampled / seconds) + ((1 - Newest) * Speed);
            }

            (TokensSampled, _countedAt, RunningSequences) = (report.TokensSampled, now, report.RunningSequences);
        }
    }

    private sealed class Grant
    {
        public static readonly Grant Token = new();
    }
}
