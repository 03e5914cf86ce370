using Akka.Actor;
using Akka.Event;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Verification;
using static Ghpo.Dispatch.SessionProtocol;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// A node's end of its session as a verifier for a learner on another node.
/// <para>Lifecycle: it offers itself every <see cref="OfferInterval"/> until it is welcomed, then judges what comes, as the learner's settings say. It ends (stops
/// itself) when the learner's session or a stream ends; whoever started it starts the next one.</para>
/// <para>Failure: an answer that the verifier throws on is judged <see cref="Verdict.VerifierFailed"/>, as the learner's own would be.</para>
/// </summary>
internal sealed class VerifierSessionActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan OfferInterval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Answers under way to this node beyond those that it judges. The end of a stream that receives says how much may be under way; unsaid, it is 32.
    /// </summary>
    internal const int Underway = 8;

    /// <summary>The last judgements have so long to get out before the session ends.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(300);

    private readonly NodeContext _node;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private string? _refusal;
    private IActorRef _learner = ActorRefs.Nobody;
    private string? _inspection;
    private long _judged;

    /// <param name="run">Leads to the learner's <see cref="RunActor"/>, wherever it is.</param>
    public VerifierSessionActor(NodeContext node, IActorRef run)
    {
        _node = node;
        Receive<Offer>(_ => run.Tell(new OfferVerifier(node.Name, Self, node.Verifiers)));
        Receive<WorkerRefused>(refused =>
        {
            if (refused.Reason != _refusal)
            {
                _refusal = refused.Reason;
                _log.Warning("The learner refuses this verifier, which goes on asking: {Reason}", refused.Reason);
            }
        });
        Receive<VerifierWelcomed>(OnWelcome);
        Receive<NodeActor.DescribeSession>(asked => Sender.Tell(
            asked.Known with { Sentence = _refusal is null ? "waits for the learner's welcome" : $"the learner refuses this verifier: {_refusal}" }));
        Receive<NodeActor.LeaveSession>(_ => Sender.Tell(new SessionLeft()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Offer), new Offer(), TimeSpan.Zero, OfferInterval);

    protected override void PostStop()
    {
        if (!_learner.IsNobody())
        {
            _log.Info("{Node} has judged {Answers} answers in this session", _node.Name, Interlocked.Read(ref _judged));
        }
    }

    private void OnWelcome(VerifierWelcomed welcome)
    {
        Timers.Cancel(nameof(Offer));
        _learner = Context.Watch(welcome.Session);
        _inspection = welcome.Inspection;
        _log.Info("{Node} verifies for run {Run}", _node.Name, welcome.Setup.Run);
        IActorRef self = Self;
        AnswerVerifier verifier = welcome.Setup.Create();
        welcome.Work.Source
            .WithAttributes(StreamRefAttributes.CreateBufferCapacity(Underway))
            .SelectAsyncUnordered(_node.Verifiers, answer => Task.Run(() => Judge(verifier, answer)))
            .WatchTermination((_, ended) => ended.PipeTo(self, success: _ => new Ended(), failure: _ => new Ended()))
            .RunWith(welcome.Judged.Sink, Context.Materializer(namePrefix: "session"));
        Become(Serving);
    }

    private void Serving()
    {
        Receive<VerifierWelcomed>(_ => { });
        Receive<NodeActor.DescribeSession>(asked => Sender.Tell(
            asked.Known with { Serves = true, Sentence = $"verifies, {Interlocked.Read(ref _judged)} answers so far", Inspection = _inspection }));
        Receive<Terminated>(_ =>
        {
            _log.Warning("The session with the learner ends: the learner's end is gone");
            Timers.StartSingleTimer(nameof(Ended), new Ended(), LastWords);
        });
        Receive<Ended>(_ => Context.Stop(Self));
        Receive<NodeActor.LeaveSession>(_ =>
        {
            _learner.Tell(new SessionLeft());
            Sender.Tell(new SessionLeft());
            Context.Stop(Self);
        });
    }

    private AnswerJudged Judge(AnswerVerifier verifier, AnswerToJudge answer)
    {
        AnswerJudged judged = AnswerVerifierActor.Judge(verifier, answer);
        Interlocked.Increment(ref _judged);
        return judged;
    }

    private sealed record Offer;

    private sealed record Ended;
}
