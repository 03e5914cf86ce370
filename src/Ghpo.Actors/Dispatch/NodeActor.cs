using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Akka.Remote;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>How a node's membership in a learner's cluster ended.</summary>
public enum NodeEnd
{
    /// <summary>The learner said good-bye: its run is over, or goes on later.</summary>
    LearnerLeft,

    /// <summary>The learner's process died, or a new one has taken its place, or did not answer for long.</summary>
    LearnerLost,

    /// <summary>The learner's cluster has this node down, because it was not heard or somebody said so. Whatever it had in hand is others' now.</summary>
    PutOut,

    /// <summary>Somebody asked the node to leave for good.</summary>
    AskedToLeave,
}

/// <summary>
/// A node that helps a learner: for each of its roles it keeps one session after the other with the learner of the cluster that it is in, and it says when there is no
/// sense in staying.
/// <para>
/// A cluster whose learner is gone cannot get it back: a new learner process makes a new cluster, which has to be joined by a new actor system. So the node's life
/// here ends when the learner leaves, puts this node out, is not heard for <see cref="SilencesToLeave"/> knocks at its door (see <see cref="DoorActor"/>), or another process answers there; also when
/// somebody asks the node to leave. It knocks every <see cref="KnockInterval"/>; that is all it knows of who is there, for it has no failure detector (<see cref="NoOpinion"/>).
/// </para>
/// </summary>
internal sealed class NodeActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan KnockInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SessionPause = TimeSpan.FromSeconds(1);

    /// <summary>Sessions of this process answer at once.</summary>
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(2);

    /// <summary>What every learner's process has, whichever it is: the manager of its singleton.</summary>
    private const string AnyLearner = "run";

    /// <summary>
    /// So often in a row an address must answer as a learner's and not as ours. Once is not enough: a learner that is shutting down stops its actors one by one, and says good-bye besides.
    /// </summary>
    private const int StrangersToLeave = 2;

    /// <summary>So many knocks in a row without an answer: about as long as the learner waits for a node that it cannot reach (akka.conf: 10 s until it is lost, 20 s until it is put out).</summary>
    private const int SilencesToLeave = 30;

    private readonly NodeContext _node;
    private readonly IActorRef _run;
    private readonly TaskCompletionSource<NodeEnd> _end;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly Dictionary<IActorRef, string> _sessions = [];
    private Member? _learner;
    private int _strangers;
    private int _silences;

    /// <param name="end">Completed when the node should leave this cluster.</param>
    public NodeActor(NodeContext node, IActorRef run, TaskCompletionSource<NodeEnd> end)
    {
        _node = node;
        _run = run;
        _end = end;
        Receive<ClusterEvent.MemberUp>(up => OnMember(up.Member));
        Receive<ClusterEvent.MemberWeaklyUp>(up => OnMember(up.Member));

        // Not only Exited: a learner becomes that when all members have heard of its leaving, which a dead one that is not put out yet never does.
        Receive<ClusterEvent.MemberLeft>(left => OnGone(left.Member, NodeEnd.LearnerLeft));
        Receive<ClusterEvent.MemberExited>(exited => OnGone(exited.Member, NodeEnd.LearnerLeft));
        Receive<ClusterEvent.MemberDowned>(downed => OnGone(downed.Member, NodeEnd.LearnerLost));
        Receive<ClusterEvent.MemberRemoved>(removed => OnGone(removed.Member, removed.PreviousStatus == MemberStatus.Exiting ? NodeEnd.LearnerLeft : NodeEnd.LearnerLost));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
        Receive<Knock>(_ => KnockAtDoor());
        Receive<ActorIdentity>(OnAnswer);
        Receive<ThisActorSystemQuarantinedEvent>(quarantined =>
        {
            // What a node hears that was put out while it could not be reached.
            if (quarantined.RemoteAddress.Equals(_learner?.Address))
            {
                _end.TrySetResult(NodeEnd.PutOut);
            }
        });
        Receive<GetNode>(_ => Tell(Sender));
        Receive<Terminated>(gone =>
        {
            if (_sessions.Remove(gone.ActorRef, out string? role))
            {
                Timers.StartSingleTimer(role, new BeginSession(role), SessionPause);
            }
        });
        Receive<BeginSession>(begin => Begin(begin.Role));
        Receive<LeaveSession>(leave =>
        {
            foreach (IActorRef session in _sessions.Keys)
            {
                Context.Unwatch(session);
            }

            Task.WhenAll(_sessions.Keys.Select(session => session.Ask<SessionProtocol.SessionLeft>(leave, LeavePatience)))
                .PipeTo(Sender, success: _ => new SessionProtocol.SessionLeft());
            _sessions.Clear();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        Context.System.EventStream.Subscribe<ThisActorSystemQuarantinedEvent>(Self);
        Timers.StartPeriodicTimer(nameof(Knock), new Knock(), KnockInterval);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void OnMember(Member member)
    {
        if (member.HasRole(GhpoNode.LearnerRole) && _learner is null)
        {
            _learner = member;
            _log.Info("{Node} has joined the learner at {Learner}", _cluster.SelfAddress, member.Address);
            foreach (string role in _node.Roles)
            {
                Begin(role);
            }
        }
    }

    /// <summary>A learner that was leaving already when the node joined was never seen up: it is gone all the same, and nobody comes after it.</summary>
    private void OnGone(Member member, NodeEnd how)
    {
        if (_learner is null ? member.HasRole(GhpoNode.LearnerRole) : member.UniqueAddress.Equals(_learner.UniqueAddress))
        {
            _end.TrySetResult(how);
        }
        else if (member.UniqueAddress.Equals(_cluster.SelfUniqueAddress))
        {
            _end.TrySetResult(how == NodeEnd.LearnerLeft ? NodeEnd.AskedToLeave : NodeEnd.PutOut);
        }
    }

    private void Begin(string role)
    {
        NodeContext node = _node;
        IActorRef run = _run;
        Props session = role == GhpoNode.VerifierRole ? Props.Create(() => new VerifierSessionActor(node, run)) : Props.Create(() => new RolloutSessionActor(node, run));
        _sessions.Add(Context.Watch(Context.ActorOf(session)), role);
    }

    /// <summary>Answered by the session, which knows the worker, where there is one; of two sessions by that of the rollout worker.</summary>
    private void Tell(IActorRef asker)
    {
        string sentence = _learner is null ? "looks for a learner" : "between two sessions with the learner";
        var known = new NodeView(_learner?.Address, Serves: false, ActorRefs.Nobody, Worker: null, sentence) { LearnerSilence = KnockInterval * _silences };
        if (_learner is not null && _sessions.Count > 0)
        {
            _sessions.MinBy(session => session.Value == GhpoNode.RolloutRole ? 0 : 1).Key.Tell(new DescribeSession(known), asker);
        }
        else
        {
            asker.Tell(known);
        }
    }

    private void KnockAtDoor()
    {
        if (_learner is null)
        {
            return;
        }

        if (++_silences > SilencesToLeave)
        {
            _log.Warning("The learner at {Learner} has not answered {Knocks} knocks", _learner.Address, SilencesToLeave);
            _end.TrySetResult(NodeEnd.LearnerLost);
        }

        Ask(DoorActor.NameOf(_learner.UniqueAddress));
    }

    /// <summary>Ours is there; or it is not, and then whether any learner is.</summary>
    private void OnAnswer(ActorIdentity identity)
    {
        if ((string)identity.MessageId != AnyLearner)
        {
            if (identity.Subject is not null)
            {
                (_strangers, _silences) = (0, 0);
            }
            else
            {
                Ask(AnyLearner);
            }
        }
        else if (identity.Subject is not null && ++_strangers >= StrangersToLeave)
        {
            _log.Info("A new learner answers at {Learner}", _learner!.Address);
            _end.TrySetResult(NodeEnd.LearnerLost);
        }
    }

    private void Ask(string actor) => Context.ActorSelection(new RootActorPath(_learner!.Address) / "user" / actor).Tell(WhoIs(actor));

    /// <summary>With a text, which may leave a process; not every type may.</summary>
    internal static Identify WhoIs(string actor) => new(actor);

    /// <summary>Query, answered by <see cref="NodeView"/>.</summary>
    internal sealed record GetNode;

    /// <param name="Learner">Address of the learner's node; null: none has been found yet.</param>
    /// <param name="Serves">It has what it needs to work for the learner.</param>
    /// <param name="WorkerActor">Nobody, where there is none.</param>
    /// <param name="Worker">How the node's worker stands; null: there is none.</param>
    /// <param name="Sentence">What the node is at.</param>
    internal sealed record NodeView(Address? Learner, bool Serves, IActorRef WorkerActor, RolloutProtocol.WorkerView? Worker, string Sentence)
    {
        /// <summary>Where the learner can be looked into, HOST:PORT as it said; "": nowhere; null: it has not welcomed this node.</summary>
        public string? Inspection { get; init; }

        /// <summary>For how long the learner has not answered this node's knocks, in whole knocks; one that is on its way counts.</summary>
        public TimeSpan LearnerSilence { get; init; }
    }

    /// <summary>Query to a session, answered by <see cref="NodeView"/>.</summary>
    /// <param name="Known">What the node knows without it; the session says the rest.</param>
    internal sealed record DescribeSession(NodeView Known);

    /// <summary>Return what is in hand, and end. Answered by <see cref="SessionProtocol.SessionLeft"/>.</summary>
    internal sealed record LeaveSession;

    private sealed record Knock;

    private sealed record BeginSession(string Role);
}
