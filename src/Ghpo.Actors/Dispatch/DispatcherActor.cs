using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Akka.Remote;
using Ghpo.Rollout;
using static Ghpo.Dispatch.DispatchProtocol;
using static Ghpo.Dispatch.WorkerProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// Brings groups to workers and their answers back, wherever the workers are.
/// <code>
/// pipeline ── SampleGroup ─▶ ledger: pending ── TakeLease ◀─ session ◀─ demand of the worker's stream
///     ▲                                 └── Lease ─────────▶ session ─▶ worker
///     └──── RolloutGroup ◀── ledger: accepted ◀── Sampled ── session ◀── answers
/// </code>
/// It is the shell of three pure parts: <see cref="LeaseLedger"/> knows who has what, <see cref="WorkerHealth"/> who may take anything, <see cref="WorkShares"/>
/// who has more than his part. Each worker has a session, a child of this actor; when the session ends, its leases are pending again at once.
/// <para>
/// A lease is taken on a worker's demand alone, and a group is given to a worker only while it holds a policy that is fresh enough for it, with the hash that the
/// learner published. Where nothing is pending, a worker of another node that has room doubles the group that has been out longest, if that is unusually long. Whichever worker is first, the other one is told to drop it: it would be busy, and under an old policy, when the
/// next groups come.
/// </para>
/// <para>
/// Failure: what a worker of this process fails at fails the pipeline, as any other member's failure does; what a worker of another node fails at is counted
/// against it and given to the next. Diverged weights are no worker's fault and end the run. It holds nothing that is not asked for again: a new dispatcher of a
/// new epoch begins empty.
/// </para>
/// </summary>
internal sealed partial class DispatcherActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(250);

    /// <summary>A stream asks anew within milliseconds.</summary>
    private static readonly TimeSpan _mutePatience = TimeSpan.FromSeconds(5);

    private readonly RunContext _run;
    private readonly IActorRef _learner;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly LeaseLedger _ledger;
    private readonly Dictionary<WorkKey, (PromptedGroup Prompted, IActorRef Asker)> _asked = [];
    private readonly Dictionary<string, Worker> _workers = [];
    private readonly long _began;
    private PolicyPublished? _policy;
    private long _sessions;

    /// <param name="local">The workers of this process.</param>
    public DispatcherActor(RunContext run, IActorRef learner, IReadOnlyList<IActorRef> local)
    {
        _run = run;
        _learner = learner;
        _ledger = new LeaseLedger(run.Settings.Rollout.Deadline);
        _began = run.Time.GetTimestamp();

        Receive<SampleGroup>(OnSample);
        Receive<TakeLease>(OnTake);
        Receive<Sampled>(OnSampled);
        Receive<SampleFailed>(OnFailed);
        Receive<PolicyPublished>(OnPublished);
        Receive<PolicyLoaded>(OnLoaded);
        Receive<WorkerReported>(OnReported);
        Receive<WorkerLeaves>(leaves => Lose(leaves.Worker, "left"));
        Receive<Terminated>(gone => OnSessionGone(gone.ActorRef));
        Receive<StopExpected>(_ => _stopSince ??= Now);
        Receive<Grant>(_ => GrantAll());
        Receive<Tick>(_ => OnTick());
        Receive<GetWorkers>(_ => Sender.Tell(View()));
        Receive<DrainWorker>(drain => Sender.Tell(Change(drain.Name, health => health.Drain(Now))));
        Receive<ResumeWorker>(resume => Sender.Tell(Change(resume.Name, health => health.Resume(Now))));

        Receive<SessionProtocol.OfferWorker>(OnOffer);
        Receive<DisassociatedEvent>(broken => OnDisassociated(broken.RemoteAddress));
        Receive<ClusterEvent.UnreachableMember>(gone => Reached(gone.Member.Address, reachable: false));
        Receive<ClusterEvent.ReachableMember>(back => Reached(back.Member.Address, reachable: true));

        foreach (IActorRef worker in local)
        {
            string name = worker.Path.Name;
            string id = NewId(name);
            IActorRef session = Context.ActorOf(Props.Create(() => new LocalSessionActor(id, worker, Capacity, run.Time)), Uri.EscapeDataString(id));
            Admit(new Worker(id, name, ((ExtendedActorSystem)Context.System).Provider.DefaultAddress, session, Capacity, IsLocal: true) { Health = WorkerHealth.Joined(Now) });
        }
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Groups that a worker with the run's own number of slots decodes together.</summary>
    private int Capacity => _run.Settings.Rollout.Slots / _run.Settings.Rollout.GroupSize;

    /// <summary>Since this dispatcher began.</summary>
    private TimeSpan Now => _run.Time.GetElapsedTime(_began);

    /// <summary>A time of the run's clock as <see cref="Now"/> would have been.</summary>
    private TimeSpan Since(long timestamp) => _run.Time.GetElapsedTime(_began, timestamp);

    protected override void PreStart()
    {
        _learner.Tell(new SubscribeToPolicy(Self));
        Timers.StartPeriodicTimer(nameof(Tick), new Tick(), _tick);
        WatchNodes();
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void OnSample(SampleGroup request)
    {
        _asked[WorkKey.Of(request.Prompted)] = (request.Prompted, Sender);
        _ledger.Offer(request.Prompted, request.Oldest, Since(request.Sent));
        GrantSoon();
    }

    private void OnTake(TakeLease request)
    {
        if (_workers.TryGetValue(request.Worker, out Worker? worker))
        {
            worker.Asker = Sender;
            worker.Ready(Since(request.Sent));
            GrantSoon();
        }
    }

    private void OnSampled(Sampled sampled)
    {
        if (_workers.TryGetValue(sampled.Worker, out Worker? worker))
        {
            worker.Health = worker.Health.Worked(Now);
            worker.Ready(Since(sampled.Sent));
        }

        if (_ledger.LeasesOf(sampled.Worker).FirstOrDefault(lease => lease.Key == sampled.Key) is { } lease)
        {
            NoteDuration(lease.Taken);
        }

        string[] others = [.. _ledger.HoldersOf(sampled.Key).Where(holder => holder != sampled.Worker)];
        Delivery delivery = _ledger.Deliver(sampled.Worker, sampled.Key, sampled.Epoch, sampled.Version, Now);
        if (delivery == Delivery.Accepted)
        {
            _asked.Remove(sampled.Key, out (PromptedGroup Prompted, IActorRef Asker) asked);
            asked.Asker.Tell(new RolloutGroup(asked.Prompted, sampled.Completions, sampled.Epoch, sampled.Version, worker?.Name ?? sampled.Worker));
            foreach (string other in others)
            {
                _workers[other].Session.Tell(new WithdrawLease(sampled.Key));
            }
        }
        else
        {
            _log.Info("Group {Group} from {Worker} is {Delivery}", sampled.Key, sampled.Worker, delivery);
        }

        GrantSoon();
    }

    private void OnFailed(SampleFailed failed)
    {
        if (!_workers.TryGetValue(failed.Worker, out Worker? worker))
        {
            return;
        }

        if (worker.IsLocal || failed.Cause is NonFiniteLogitsException)
        {
            Fail(failed.Key, failed.Cause);
            return;
        }

        _log.Warning("{Worker} failed at group {Group}: {Reason}", worker.Name, failed.Key, failed.Cause.Message);
        _ledger.End(worker.Id, failed.Key, Now);
        CountFailure(worker, failed.Cause.Message);
        GrantSoon();
    }

    private void OnPublished(PolicyPublished published)
    {
        _policy = published;
        _ledger.Epoch = published.Epoch;
        foreach (Worker worker in _workers.Values)
        {
            Tell(worker, published);
        }
    }

    private void OnLoaded(PolicyLoaded loaded)
    {
        if (!_workers.TryGetValue(loaded.Worker, out Worker? worker))
        {
            return;
        }

        if (_policy is null || loaded.Policy.Epoch != _policy.Epoch || (loaded.Policy.Version == _policy.Version && loaded.Policy.Hash != _policy.Hash))
        {
            Lose(worker.Id, $"it holds {loaded.Policy.Version} of epoch {loaded.Policy.Epoch} with hash {loaded.Policy.Hash}, which was not published");
            return;
        }

        worker.Health = worker.Health.Proved(loaded.Policy, Now);
        worker.Ready(Now);
        GrantSoon();
    }

    private void OnReported(WorkerReported report)
    {
        if (_workers.TryGetValue(report.Worker, out Worker? worker))
        {
            bool could = CanWork(worker);
            worker.Health = worker.Health.Heard(Now);
            worker.Count(report, Now);
            worker.Room = worker.Room.Reported(_ledger.HeldBy(worker.Id), report.Starved, _run.Settings.Rollout.GroupSize);
            if (!could)
            {
                GrantSoon();
            }
        }
    }

    private void OnSessionGone(IActorRef session)
    {
        if (_workers.Values.FirstOrDefault(worker => worker.Session.Equals(session)) is { } worker)
        {
            Lose(worker.Id, "its session ended");
        }
    }

    private void OnTick()
    {
        foreach (Lease lease in _ledger.Expire(Now))
        {
            string overdue = $"group {lease.Key} was not sampled within rollout.deadline ({_run.Settings.Rollout.Deadline.TotalSeconds:0} s) by {NameOf(lease.Worker)}";
            _log.Warning("The lease of group {Group} ended: {Overdue}", lease.Key, overdue);
            if (_workers.TryGetValue(lease.Worker, out Worker? worker))
            {
                if (worker.IsLocal)
                {
                    Fail(lease.Key, new TimeoutException(overdue));
                }
                else
                {
                    CountFailure(worker, overdue);
                }
            }
        }

        foreach (Worker worker in _workers.Values.ToArray())
        {
            worker.Health = worker.Health.Passed(Now);
            React(worker);
            LoseIfMute(worker);
        }

        Forget();
        GrantSoon();
        NameStall();
        AbandonIfNobodySamples();
    }

    /// <summary>
    /// Who can be heard, holds a policy, has nothing in hand and samples nothing, waits for work; where his stream does not say so, what was on its way to him is lost with the demand that it answered, and
    /// nothing would ever ask again. He comes back with a new session, which has new streams.
    /// </summary>
    private void LoseIfMute(Worker worker)
    {
        bool mute = !worker.IsLocal && !worker.Left && worker.Asker is null && worker.RunningSequences == 0
            && worker.Health is { Held: not null, Silent: false, Unreachable: false } && _ledger.HeldBy(worker.Id) == 0;
        worker.MuteSince = mute ? worker.MuteSince ?? Now : null;
        if (Now - worker.MuteSince >= _mutePatience)
        {
            Lose(worker.Id, "it has nothing in hand, and its stream asks for nothing: what was on the way to it is lost");
        }
    }

    private void CountFailure(Worker worker, string why)
    {
        worker.Health = worker.Health.Failed(why, Now);
        React(worker);
    }

    /// <summary>What follows from a worker's health.</summary>
    private void React(Worker worker)
    {
        switch (worker.Health)
        {
            case { State: WorkerState.Lost }:
                Lose(worker.Id, worker.Health.Why);
                break;
            case { Unreachable: true } or { Silent: true } when _ledger.HeldBy(worker.Id) > 0:
                ImmutableArray<WorkKey> released = _ledger.Release(worker.Id, Now);
                _log.Warning("{Worker} is suspect ({Why}); its {Groups} groups go to others", worker.Name, worker.Health.Why, released.Length);
                GrantSoon();
                break;
            default:
                break;
        }
    }

    private void Lose(string id, string why)
    {
        if (!_workers.TryGetValue(id, out Worker? worker) || worker.Left)
        {
            return;
        }

        worker.Left = true;
        worker.Asker = null;
        worker.Health = worker.Health.Gone(Now, why);
        ImmutableArray<WorkKey> released = _ledger.Release(id, Now);
        Context.Unwatch(worker.Session);
        Context.Stop(worker.Session);
        _log.Info("{Worker} on {Node} is lost: {Why}; {Groups} groups in hand go to others", worker.Name, worker.Node, why, released.Length);
        GrantSoon();
    }

    private void Fail(WorkKey key, Exception cause)
    {
        if (_asked.Remove(key, out (PromptedGroup Prompted, IActorRef Asker) asked))
        {
            asked.Asker.Tell(new Status.Failure(cause));
        }
    }

    private void Admit(Worker worker)
    {
        _workers.Add(worker.Id, worker);
        Context.Watch(worker.Session);
        if (_policy is not null)
        {
            Tell(worker, _policy);
        }
    }

    private void Tell(Worker worker, PolicyPublished published)
    {
        if (!worker.Left)
        {
            worker.Health = worker.Health.Told(Now);
            worker.Session.Tell(published);
        }
    }

    /// <summary>An id of a session: what a worker's earlier session still sends is told from its new one's.</summary>
    private string NewId(string name) => $"{name}#{++_sessions}";

    private string NameOf(string id) => _workers.TryGetValue(id, out Worker? worker) ? worker.Name : id;

    private sealed record Tick;
}
