using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// The learner's end of a verifier node: owns the two StreamRefs and watches the node's session, for a StreamRef alone does not notice that its far node is gone. It
/// stops when its peer, or either stream, ends, and its streams stop with it.
/// </summary>
internal sealed class RemoteVerifierActor : ReceiveActor
{
    /// <summary>Answers under way to a node beyond those that it judges.</summary>
    private const int Underway = 8;

    private readonly string _id;
    private readonly IActorRef _peer;
    private readonly VerifierSetup _setup;
    private readonly CancellationTokenSource _stopped = new();
    private ISourceRef<AnswerToJudge>? _work;
    private ISinkRef<AnswerJudged>? _judged;

    /// <param name="peer">The node's session.</param>
    public RemoteVerifierActor(string id, IActorRef peer, VerifierSetup setup)
    {
        _id = id;
        _peer = peer;
        _setup = setup;
        Receive<ISourceRef<AnswerToJudge>>(made =>
        {
            _work = made;
            Welcome();
        });
        Receive<ISinkRef<AnswerJudged>>(made =>
        {
            _judged = made;
            Welcome();
        });
        Receive<AnswerJudged>(judged => Context.Parent.Tell(new JudgedByNode(_id, judged)));
        Receive<SessionProtocol.SessionLeft>(_ => Context.Stop(Self));
        Receive<Terminated>(_ => Context.Stop(Self));
        Receive<StreamEnded>(_ => Context.Stop(Self));
        Receive<Status.Failure>(_ => Context.Stop(Self));
    }

    protected override void PreStart()
    {
        Context.Watch(_peer);
        IActorRef self = Self;
        IActorRef parent = Context.Parent;
        ActorMaterializer materializer = Context.Materializer(namePrefix: "session");
        Source.UnfoldAsync(0, async _ =>
            {
                // However long it takes until there is an answer; the session's token ends the wait.
                AnswerToJudge answer = await parent.Ask<AnswerToJudge>(new TakeAnswer(_id), Timeout.InfiniteTimeSpan, _stopped.Token).ConfigureAwait(false);
                return Akka.Util.Option<(int, AnswerToJudge)>.Create((0, answer));
            })
            .WatchTermination((_, ended) => ended.PipeTo(self, success: _ => new StreamEnded(), failure: _ => new StreamEnded()))
            .RunWith(StreamRefs.SourceRef<AnswerToJudge>().WithAttributes(StreamRefAttributes.CreateBufferCapacity(Underway)), materializer)
            .PipeTo(self);
        StreamRefs.SinkRef<AnswerJudged>()
            .ToMaterialized(
                Sink.ForEach<AnswerJudged>(judged => self.Tell(judged)),
                (made, ended) =>
                {
                    ended.PipeTo(self, success: _ => new StreamEnded(), failure: _ => new StreamEnded());
                    return made;
                })
            .Run(materializer)
            .PipeTo(self);
    }

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private void Welcome()
    {
        if (_work is not null && _judged is not null)
        {
            _peer.Tell(new VerifierWelcomed(Self, _setup, _work, _judged));
        }
    }

    private sealed record StreamEnded;
}
