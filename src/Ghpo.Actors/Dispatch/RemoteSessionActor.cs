using Akka.Actor;
using Akka.Event;
using Akka.Streams.Dsl;
using Ghpo.Learning;
using Ghpo.Rollout;
using static Ghpo.Dispatch.DispatchProtocol;
using static Ghpo.Dispatch.SessionProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// The learner's end of a worker on another node: owns the two StreamRefs and watches the worker's session. A StreamRef alone does not notice that its far
/// node is gone; the watch does, and this actor stops with its peer, its streams with it, and the dispatcher with its leases hears of it.
/// <para>Lifecycle: it makes the StreamRefs, welcomes the worker with them, tells it of policies until it has heard, and puts groups together from the parts that their answers come in. It
/// stops when its peer, or either stream, ends.</para>
/// </summary>
internal sealed class RemoteSessionActor : ReceiveActor
{
    /// <summary>The first report may have been on its way already when the policy was told.</summary>
    private const int UnheardReports = 2;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly string _id;
    private readonly IActorRef _peer;
    private readonly ClusterSide _side;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopped = new();
    private readonly Dictionary<WorkKey, Completion?[]> _partial = [];
    private LearnerProtocol.PolicyPublished? _published;
    private HeldPolicy? _held;
    private bool _welcomed;
    private int _unheard;

    /// <param name="peer">The worker's session.</param>
    public RemoteSessionActor(string id, IActorRef peer, ClusterSide side, TimeProvider time)
    {
        _id = id;
        _peer = peer;
        _side = side;
        _time = time;
        Receive<SessionStreams<LeasedGroup, SampledAnswers>>(opened =>
        {
            _peer.Tell(new WorkerWelcomed(Self, _side.Setup, _side.Plane.Address, _side.Inspection, opened.Work, opened.Results));
            _welcomed = true;
            TellPolicy();
        });
        Receive<LearnerProtocol.PolicyPublished>(published =>
        {
            _published = published;
            TellPolicy();
        });
        Receive<WithdrawLease>(withdrawn => _peer.Tell(new GroupWithdrawn(withdrawn.Key)));
        Receive<HeldPolicy>(OnHeld);
        Receive<SampledAnswers>(OnAnswers);
        Receive<AnswerFailed>(failed =>
        {
            _partial.Remove(failed.Key);
            Context.Parent.Tell(new SampleFailed(
                _id, failed.Key, failed.Diverged ? new NonFiniteLogitsException(failed.Reason) : new InvalidOperationException(failed.Reason)));
        });
        Receive<WorkReported>(OnReport);
        Receive<SessionLeft>(_ => Context.Parent.Tell(new WorkerLeaves(_id)));
        Receive<Terminated>(_ => Context.Stop(Self));
        Receive<SessionStreams<LeasedGroup, SampledAnswers>.Ended>(_ => Context.Stop(Self));
        Receive<Status.Failure>(_ => Context.Stop(Self));
    }

    protected override void PreStart()
    {
        Context.Watch(_peer);
        SessionStreams<LeasedGroup, SampledAnswers>.Open(
            Context, LeaseStream.Of(_id, Context.Parent, _time, _stopped.Token).Select(lease => new LeasedGroup(lease.Prompted, lease.Oldest)));
    }

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    /// <summary>A policy that was published before the worker was welcomed follows the welcome.</summary>
    private void TellPolicy()
    {
        _unheard = 0;
        if (_welcomed && _published is not null)
        {
            _peer.Tell(_published);
        }
    }

    private void OnReport(WorkReported report)
    {
        if (report.Heard == _published)
        {
            _unheard = 0;
        }
        else if (_published is not null && ++_unheard >= UnheardReports)
        {
            _log.Info("{Worker} has not heard of {Version}, and is told again", _id, _published.Version);
            TellPolicy();
        }

        if (report.Held is not null)
        {
            OnHeld(report.Held);
        }

        Context.Parent.Tell(new WorkerReported(_id, report.RunningSequences, report.Starved, report.TokensSampled));
    }

    private void OnHeld(HeldPolicy held)
    {
        if (held != _held)
        {
            _held = held;
            Context.Parent.Tell(new PolicyLoaded(_id, held));
        }
    }

    private void OnAnswers(SampledAnswers part)
    {
        if (!_partial.TryGetValue(part.Key, out Completion?[]? answers))
        {
            _partial[part.Key] = answers = new Completion?[_side.Setup.GroupSize];
        }

        part.Completions.CopyTo(answers!, part.First);
        if (Array.TrueForAll(answers, answer => answer is not null))
        {
            _partial.Remove(part.Key);
            Context.Parent.Tell(new Sampled(_id, part.Key, [.. answers!], part.Epoch, part.Version, _time.GetTimestamp()));
        }
    }
}

/// <summary>What the learner's process offers to workers of other nodes.</summary>
/// <param name="Plane">Serves the weights to them.</param>
/// <param name="Certificates">For Akka.Remote; null: without TLS.</param>
/// <param name="Engine">What the bits of this process's own engine are; null: the run is not deterministic.</param>
public sealed record ClusterSide(WorkerSetup Setup, Policy.Plane.IPolicyPlane Plane, Security.ClusterCertificates? Certificates, EngineFingerprint? Engine)
{
    private volatile string _inspection = "";

    /// <summary>HOST:PORT that this process can be looked into at, for nodes to name to those who ask them; "": nowhere, or not yet.</summary>
    public string Inspection
    {
        get => _inspection;
        set => _inspection = value;
    }
}
