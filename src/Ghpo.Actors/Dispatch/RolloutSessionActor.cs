using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Learning;
using Ghpo.Observability;
using Ghpo.Policy;
using Ghpo.Rollout;
using static Ghpo.Dispatch.SessionProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// A worker's end of its session with a learner on another node.
/// <para>Lifecycle: it offers the worker every <see cref="OfferInterval"/> until it is welcomed; starts the worker with an engine made from what the welcome says;
/// fetches each policy that is published and hands it to the worker, which tells when it is loaded; a fetch that a newer policy has overtaken is left. It ends (stops itself) when the learner's session, the
/// worker or a stream ends; whoever started it starts the next one, with a worker that holds nothing.</para>
/// <para>Failure: a group that the engine fails at is reported with its reason. A policy that cannot be fetched is asked for again while it is the newest one.</para>
/// </summary>
internal sealed class RolloutSessionActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan OfferInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FetchPause = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Groups under way to this worker beyond those that it has room for. The end of a stream that receives says how much may be under way; unsaid, it is 32, and the first worker would
    /// have a step's groups before the second has joined.
    /// </summary>
    private const int Underway = 2;

    /// <summary>What the engine said last has so long to get out before the session ends.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(300);

    private readonly NodeContext _node;
    private readonly IActorRef _run;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stopped = new();
    private string? _refusal;
    private IActorRef _learner = ActorRefs.Nobody;
    private IActorRef _worker = ActorRefs.Nobody;
    private PolicyStore? _store;
    private Uri? _plane;
    private string? _inspection;
    private readonly Dictionary<LearnerProtocol.PolicyPublished, CancellationTokenSource> _fetches = [];
    private LearnerProtocol.PolicyPublished? _newest;
    private LearnerProtocol.PolicyPublished? _handedOver;
    private HeldPolicy? _held;
    private RolloutProtocol.WorkerView? _view;

    /// <param name="run">Leads to the learner's <see cref="RunActor"/>, wherever it is.</param>
    public RolloutSessionActor(NodeContext node, IActorRef run)
    {
        _node = node;
        _run = run;
        Receive<Offer>(_ => _run.Tell(new OfferWorker(node.Name, Self, node.Slots, node.Engine)));
        Receive<WorkerRefused>(OnRefused);
        Receive<WorkerWelcomed>(OnWelcome);
        Receive<NodeActor.DescribeSession>(asked => Sender.Tell(
            asked.Known with { Sentence = _refusal is null ? "waits for the learner's welcome" : $"the learner refuses this worker: {_refusal}" }));
        Receive<NodeActor.LeaveSession>(_ => Sender.Tell(new SessionLeft()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Offer), new Offer(), TimeSpan.Zero, OfferInterval);

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(failure =>
    {
        _log.Error(failure, "The worker failed: {Reason}", failure.GetBaseException().Message);
        return Directive.Stop;
    });

    protected override void PostStop()
    {
        _stopped.Cancel();
        foreach (CancellationTokenSource fetch in _fetches.Values)
        {
            fetch.Dispose();
        }

        _stopped.Dispose();
        _store?.Dispose();
    }

    private void OnRefused(WorkerRefused refused)
    {
        if (refused.Reason != _refusal)
        {
            _refusal = refused.Reason;
            _log.Warning("The learner refuses this worker, which goes on asking: {Reason}", refused.Reason);
        }
    }

    private void OnWelcome(WorkerWelcomed welcome)
    {
        Timers.Cancel(nameof(Offer));
        _learner = welcome.Session;
        _plane = welcome.Plane;
        _inspection = welcome.Inspection;
        Context.Watch(_learner);
        WorkerSetup setup = welcome.Setup;
        var rollout = new RolloutSettings(
            setup.GroupSize, setup.MaxNewTokens, setup.Temperature, setup.TopK, setup.TopP, Workers: 1, _node.Slots, _node.CacheBytes, _node.Threads, setup.Staleness, setup.SwitchInFlight, Timeout.InfiniteTimeSpan);
        _store = new PolicyStore(setup.Staleness + 2);
        PolicyStore store = _store;
        NodeContext node = _node;
        _worker = Context.ActorOf(
            Props.Create(() => new RolloutWorkerActor(node.Name, () => node.CreateEngine(setup), store, rollout, setup.Seed)).WithDispatcher(RunTeam.RolloutDispatcher), "worker");
        Context.Watch(_worker);
        _worker.Tell(new RolloutProtocol.TellOfPolicies(Self));
        _log.Info("{Worker} joins run {Run}", _node.Name, setup.Run);

        IActorRef self = Self;
        IActorRef worker = _worker;
        CancellationToken stopped = _stopped.Token;
        welcome.Work.Source
            .WithAttributes(StreamRefAttributes.CreateBufferCapacity(Underway))
            .SelectAsyncUnordered(_node.Slots / setup.GroupSize, leased => SampleAsync(worker, self, leased, stopped))
            .SelectMany(answers => answers)
            .WatchTermination((_, ended) => ended.PipeTo(self, success: _ => new Ended("the stream of groups"), failure: _ => new Ended("the stream of groups")))
            .RunWith(welcome.Answers.Sink, Context.Materializer(namePrefix: "session"));
        Timers.StartPeriodicTimer(nameof(Report), new Report(), ReportInterval);
        Become(Serving);
    }

    private void Serving()
    {
        Receive<WorkerWelcomed>(_ => { });
        Receive<LearnerProtocol.PolicyPublished>(published =>
        {
            // What was heard already is told again by a learner that did not know so.
            if (published != _newest)
            {
                _newest = published;
                Fetch(published);
            }
        });
        Receive<Fetched>(OnFetched);
        Receive<FetchAgain>(again =>
        {
            if (again.Published == _newest)
            {
                Fetch(again.Published);
            }
        });
        Receive<HeldPolicy>(held =>
        {
            _held = held;
            _learner.Tell(held);
        });
        Receive<GroupWithdrawn>(withdrawn => _worker.Tell(new RolloutProtocol.WithdrawGroup(withdrawn.Key.Group, withdrawn.Key.Attempt)));
        Receive<Report>(_ => _worker.Tell(new RolloutProtocol.GetWorker()));
        Receive<RolloutProtocol.WorkerView>(view =>
        {
            _view = view;
            _learner.Tell(new WorkReported(view.RunningSequences, view.Starved, view.TokensSampled, _newest, _held));
        });
        Receive<NodeActor.DescribeSession>(asked => Sender.Tell(
            asked.Known with { Serves = _view?.Version is not null, WorkerActor = _worker, Worker = _view, Sentence = Sentence, Inspection = _inspection }));
        Receive<AnswerFailed>(_learner.Tell);
        Receive<Terminated>(gone =>
        {
            _log.Warning("The session with the learner ends: {Who} is gone", gone.ActorRef.Equals(_worker) ? "the worker" : "the learner's end");
            Timers.StartSingleTimer(nameof(Ended), new Ended("its peer"), LastWords);
        });
        Receive<Ended>(_ => Context.Stop(Self));
        Receive<NodeActor.LeaveSession>(_ =>
        {
            _learner.Tell(new SessionLeft());
            Sender.Tell(new SessionLeft());
            Context.Stop(Self);
        });
    }

    private string Sentence => (_view, _newest) switch
    {
        (_, null) => "waits for the learner's first policy",
        ({ Version: null } or null, { } newest) => $"fetches and loads {newest.Version}",
        ({ RunningGroups: > 0 } view, _) => $"samples {view.RunningGroups} groups under {view.Version}",
        ({ } view, _) => $"holds {view.Version} and waits for groups",
    };

    private void Fetch(LearnerProtocol.PolicyPublished published)
    {
        var fetch = CancellationTokenSource.CreateLinkedTokenSource(_stopped.Token);
        _fetches.Add(published, fetch);
        long begun = Stopwatch.GetTimestamp();
        _node.Plane.FetchAsync(published.Epoch, published.Version, published.Hash, _plane!, fetch.Token).PipeTo(
            Self,
            success: policy =>
            {
                GhpoMeters.PolicyFetchDuration.Record(Stopwatch.GetElapsedTime(begun).TotalSeconds);
                return new Fetched(published, policy, null);
            },
            failure: cause => new Fetched(published, null, cause));
    }

    /// <summary>Fetches end in any order: one that a newer one has overtaken would take the worker back to an older policy.</summary>
    private void OnFetched(Fetched fetched)
    {
        if (_fetches.Remove(fetched.Published, out CancellationTokenSource? fetch))
        {
            fetch.Dispose();
        }

        if (fetched.Policy is not null && fetched.Published.IsOlderThan(_handedOver))
        {
            fetched.Policy.Dispose();
        }
        else if (fetched.Policy is not null)
        {
            _handedOver = fetched.Published;
            _store!.Publish(fetched.Policy);
            _worker.Tell(fetched.Published);
            foreach (CancellationTokenSource overtaken in _fetches.Where(other => other.Key.IsOlderThan(_handedOver)).Select(other => other.Value))
            {
                overtaken.Cancel();
            }
        }
        else if (fetched.Published == _newest && !_stopped.IsCancellationRequested)
        {
            _log.Warning("Policy {Version} could not be fetched, and is asked for again: {Reason}", fetched.Published.Version, fetched.Problem!.Message);
            Timers.StartSingleTimer(nameof(FetchAgain), new FetchAgain(fetched.Published), FetchPause);
        }
    }

    /// <returns>The group's answers; none where it was withdrawn, or failed, which is told to the session.</returns>
    private static async Task<IEnumerable<SampledAnswers>> SampleAsync(IActorRef worker, IActorRef session, LeasedGroup leased, CancellationToken stopped)
    {
        WorkKey key = WorkKey.Of(leased.Prompted);
        try
        {
            RolloutGroup group = await worker
                .Ask<RolloutGroup>(new RolloutProtocol.SampleGroup(leased.Prompted, leased.Oldest), Timeout.InfiniteTimeSpan, stopped).ConfigureAwait(false);
            return SampledAnswers.Of(group);
        }
        catch (OperationCanceledException) when (!stopped.IsCancellationRequested)
        {
            return [];
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            session.Tell(new AnswerFailed(key, failure.Message, failure is NonFiniteLogitsException));
            return [];
        }
    }

    private sealed record Offer;

    private sealed record Report;

    private sealed record Ended(string What);

    private sealed record Fetched(LearnerProtocol.PolicyPublished Published, PolicySnapshot? Policy, Exception? Problem);

    private sealed record FetchAgain(LearnerProtocol.PolicyPublished Published);
}
