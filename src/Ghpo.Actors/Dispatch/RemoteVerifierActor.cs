using Akka.Actor;
using Akka.Streams.Dsl;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// The learner's end of a verifier node: owns the two StreamRefs and watches the node's session, for a StreamRef alone does not notice that its far node is gone. It
/// stops when its peer, or either stream, ends, and its streams stop with it.
/// </summary>
internal sealed class RemoteVerifierActor : ReceiveActor
{
    private readonly string _id;
    private readonly IActorRef _peer;
    private readonly CancellationTokenSource _stopped = new();

    /// <param name="peer">The node's session.</param>
    /// <param name="inspection">Where the learner can be looked into; "": nowhere.</param>
    public RemoteVerifierActor(string id, IActorRef peer, VerifierSetup setup, string inspection)
    {
        _id = id;
        _peer = peer;
        Receive<SessionStreams<AnswerToJudge, AnswerJudged>>(opened => _peer.Tell(new VerifierWelcomed(Self, setup, inspection, opened.Work, opened.Results)));
        Receive<AnswerJudged>(judged => Context.Parent.Tell(new JudgedByNode(_id, judged)));
        Receive<SessionProtocol.SessionLeft>(_ => Context.Stop(Self));
        Receive<Terminated>(_ => Context.Stop(Self));
        Receive<SessionStreams<AnswerToJudge, AnswerJudged>.Ended>(_ => Context.Stop(Self));
        Receive<Status.Failure>(_ => Context.Stop(Self));
    }

    protected override void PreStart()
    {
        Context.Watch(_peer);
        IActorRef parent = Context.Parent;
        SessionStreams<AnswerToJudge, AnswerJudged>.Open(Context, Source.UnfoldAsync(0, async _ =>
        {
            // However long it takes until there is an answer; the session's token ends the wait.
            AnswerToJudge answer = await parent.Ask<AnswerToJudge>(new TakeAnswer(_id), Timeout.InfiniteTimeSpan, _stopped.Token).ConfigureAwait(false);
            return Akka.Util.Option<(int, AnswerToJudge)>.Create((0, answer));
        }));
    }

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }
}
