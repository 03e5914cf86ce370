using Akka.Actor;
using Akka.Cluster;

namespace Ghpo.Dispatch;

/// <summary>Workers of other nodes: how they come, and what the cluster says about their nodes.</summary>
internal sealed partial class DispatcherActor
{
    private void WatchNodes()
    {
        if (((ExtendedActorSystem)Context.System).Provider is ClusterActorRefProvider)
        {
            Cluster.Get(Context.System).Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IReachabilityEvent));
        }
    }

    private void Reached(Address node, bool reachable)
    {
        foreach (Worker worker in _workers.Values.Where(worker => worker.Node.Equals(node) && !worker.Left).ToArray())
        {
            worker.Health = worker.Health.Reached(reachable, Now);
            React(worker);
        }

        GrantAll();
    }
}
