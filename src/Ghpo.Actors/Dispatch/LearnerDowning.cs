using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Ghpo.Dispatch;

/// <summary>
/// Who says which member is gone: the learner alone. On other nodes nobody is put out by anybody; a node that does not hear its learner any more leaves by itself (<see cref="NodeActor"/>).
/// akka.conf names this type.
/// </summary>
public sealed class LearnerDowning(ActorSystem system, Cluster cluster) : IDowningProvider
{
    /// <summary>The singletons of a run are the learner's; no other node waits to begin them.</summary>
    public TimeSpan DownRemovalMargin => TimeSpan.Zero;

    public Props? DowningActorProps => cluster.SelfRoles.Contains(GhpoNode.LearnerRole)
        ? Props.Create(() => new LearnerDowningActor(system.Settings.Config.GetTimeSpan("ghpo-learner-downing.patience", null, false), TimeProvider.System))
        : null;
}

/// <summary>Puts out whom <see cref="UnreachableMembers"/> names. Failure: Akka ends the cluster's daemon with it, and the process's membership with that.</summary>
internal sealed class LearnerDowningActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(1);

    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public LearnerDowningActor(TimeSpan patience, TimeProvider time)
    {
        var unreachable = new UnreachableMembers(patience);
        long began = time.GetTimestamp();
        Receive<ClusterEvent.UnreachableMember>(lost => unreachable.Lost(lost.Member.UniqueAddress, time.GetElapsedTime(began)));
        Receive<ClusterEvent.ReachableMember>(back => unreachable.Found(back.Member.UniqueAddress));
        Receive<ClusterEvent.MemberRemoved>(gone => unreachable.Found(gone.Member.UniqueAddress));
        Receive<ClusterEvent.IClusterDomainEvent>(_ => { });
        Receive<Tick>(_ =>
        {
            foreach (UniqueAddress member in unreachable.TakeOverdue(time.GetElapsedTime(began)))
            {
                _log.Warning("{Member} has not been reached for {Seconds:0} s more than its heartbeats may pause, and is put out", member.Address, patience.TotalSeconds);
                _cluster.Down(member.Address);
            }
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IReachabilityEvent), typeof(ClusterEvent.MemberRemoved));
        Timers.StartPeriodicTimer(nameof(Tick), new Tick(), _tick);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private sealed record Tick;
}
