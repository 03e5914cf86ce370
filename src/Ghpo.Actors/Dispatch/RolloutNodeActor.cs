using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>How a node's membership in a learner's cluster ended.</summary>
public enum NodeEnd
{
    /// <summary>The learner said good-bye: its run is over, or goes on later.</summary>
    LearnerLeft,

    /// <summary>The learner's process died, or a new one has taken its place, or the cluster has put this node out.</summary>
    LearnerLost,
}

/// <summary>
/// A rollout node: keeps one session after the other with the learner of the cluster that it is in, and says when there is no sense in staying.
/// <para>
/// A cluster whose learner is gone cannot get it back: a new learner process makes a new cluster, which has to be joined by a new actor system. So the node's life
/// here ends when the learner leaves, is removed, or another process answers at its address. That one is looked for every
/// <see cref="KnockInterval"/>, because the failure detector and the split-brain resolver take half a minute.
/// </para>
/// </summary>
internal sealed class RolloutNodeActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan KnockInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SessionPause = TimeSpan.FromSeconds(1);

    /// <summary>The actor of a learner's process that is knocked at: the manager of its singleton. A new process has a new one.</summary>
    private const string DoorPath = "user/run";

    private readonly NodeContext _node;
    private readonly IActorRef _run;
    private readonly TaskCompletionSource<NodeEnd> _end;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private IActorRef _session = ActorRefs.Nobody;
    private Member? _learner;
    private long? _door;

    /// <param name="end">Completed when the node should leave this cluster.</param>
    public RolloutNodeActor(NodeContext node, IActorRef run, TaskCompletionSource<NodeEnd> end)
    {
        _node = node;
        _run = run;
        _end = end;
        Receive<ClusterEvent.MemberUp>(up => OnMember(up.Member));
        Receive<ClusterEvent.MemberWeaklyUp>(up => OnMember(up.Member));
        Receive<ClusterEvent.MemberExited>(exited => OnGone(exited.Member, NodeEnd.LearnerLeft));
        Receive<ClusterEvent.MemberDowned>(downed => OnGone(downed.Member, NodeEnd.LearnerLost));
        Receive<ClusterEvent.MemberRemoved>(removed => OnGone(removed.Member, removed.PreviousStatus == MemberStatus.Exiting ? NodeEnd.LearnerLeft : NodeEnd.LearnerLost));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
        Receive<Knock>(_ => KnockAtDoor());
        Receive<ActorIdentity>(OnDoor);
        Receive<Terminated>(_ =>
        {
            _session = ActorRefs.Nobody;
            Timers.StartSingleTimer(nameof(BeginSession), new BeginSession(), SessionPause);
        });
        Receive<BeginSession>(_ => Begin());
        Receive<GetNode>(_ => Tell(Sender));
        Receive<RolloutSessionActor.LeaveSession>(leave =>
        {
            if (_session.IsNobody())
            {
                Sender.Tell(new SessionProtocol.SessionLeft());
            }
            else
            {
                Context.Unwatch(_session);
                _session.Forward(leave);
            }
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        Timers.StartPeriodicTimer(nameof(Knock), new Knock(), KnockInterval);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void OnMember(Member member)
    {
        if (member.HasRole(GhpoNode.LearnerRole) && _learner is null)
        {
            _learner = member;
            _log.Info("{Node} has joined the learner at {Learner}", _cluster.SelfAddress, member.Address);
            Begin();
        }
    }

    private void OnGone(Member member, NodeEnd how)
    {
        if (member.UniqueAddress.Equals(_learner?.UniqueAddress))
        {
            _end.TrySetResult(how);
        }
        else if (member.UniqueAddress.Equals(_cluster.SelfUniqueAddress))
        {
            _end.TrySetResult(NodeEnd.LearnerLost);
        }
    }

    private void Begin()
    {
        NodeContext node = _node;
        IActorRef run = _run;
        _session = Context.Watch(Context.ActorOf(Props.Create(() => new RolloutSessionActor(node, run))));
    }

    /// <summary>Answered by the session, which knows the worker, where there is one.</summary>
    private void Tell(IActorRef asker)
    {
        if (_learner is null || _session.IsNobody())
        {
            asker.Tell(new NodeView(_learner?.Address, ActorRefs.Nobody, null, _learner is null ? "looks for a learner" : "between two sessions with the learner"));
        }
        else
        {
            _session.Tell(new RolloutSessionActor.DescribeSession(_learner.Address), asker);
        }
    }

    private void KnockAtDoor()
    {
        if (_learner is not null)
        {
            Context.ActorSelection(new RootActorPath(_learner.Address) / DoorPath.Split('/')).Tell(new Identify(_learner.Address));
        }
    }

    private void OnDoor(ActorIdentity identity)
    {
        if (identity.Subject is not { } door)
        {
            return;
        }

        _door ??= door.Path.Uid;
        if (_door != door.Path.Uid)
        {
            _log.Info("A new learner answers at {Learner}", _learner!.Address);
            _end.TrySetResult(NodeEnd.LearnerLost);
        }
    }

    /// <summary>Query, answered by <see cref="NodeView"/>.</summary>
    internal sealed record GetNode;

    /// <param name="Learner">Address of the learner's node; null: none has been found yet.</param>
    /// <param name="WorkerActor">Nobody, where there is none.</param>
    /// <param name="Worker">How the node's worker stands; null: there is none.</param>
    /// <param name="Sentence">What the node is at.</param>
    internal sealed record NodeView(Address? Learner, IActorRef WorkerActor, RolloutProtocol.WorkerView? Worker, string Sentence);

    private sealed record Knock;

    private sealed record BeginSession;
}
