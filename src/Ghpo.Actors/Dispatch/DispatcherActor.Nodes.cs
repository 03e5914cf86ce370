using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Akka.Remote;

namespace Ghpo.Dispatch;

/// <summary>Workers of other nodes: how they come, and what the cluster says about their nodes.</summary>
internal sealed partial class DispatcherActor
{
    private void WatchNodes()
    {
        Context.System.EventStream.Subscribe<DisassociatedEvent>(Self);
        if (((ExtendedActorSystem)Context.System).Provider is ClusterActorRefProvider)
        {
            Cluster.Get(Context.System).Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IReachabilityEvent));
        }
    }

    /// <summary>Offers are repeated until they are answered; a second one of the same session changes nothing.</summary>
    private void OnOffer(SessionProtocol.OfferWorker offer)
    {
        if (_workers.Values.Any(worker => !worker.Left && offer.Session.Equals(worker.Peer)))
        {
            return;
        }

        if (WhyNot(offer) is { } reason)
        {
            _log.Warning("{Worker} at {Node} is refused: {Reason}", offer.Name, offer.Session.Path.Address, reason);
            offer.Session.Tell(new SessionProtocol.WorkerRefused(reason));
            return;
        }

        // One that comes back before its old session was found dead.
        foreach (Worker before in _workers.Values.Where(worker => worker.Name == offer.Name && !worker.Left).ToArray())
        {
            Lose(before.Id, "it came back with a new session");
        }

        string id = NewId(offer.Name);
        ClusterSide side = _run.Cluster!;
        TimeProvider time = _run.Time;
        IActorRef session = Context.ActorOf(Props.Create(() => new RemoteSessionActor(id, offer.Session, side, time)), Uri.EscapeDataString(id));
        int capacity = offer.Slots / _run.Settings.Rollout.GroupSize;
        _log.Info("{Worker} on {Node} joins with room for {Capacity} groups", offer.Name, offer.Session.Path.Address, capacity);
        Admit(new Worker(id, offer.Name, offer.Session.Path.Address, session, capacity, IsLocal: false) { Health = WorkerHealth.Joined(Now), Peer = offer.Session });
    }

    private string? WhyNot(SessionProtocol.OfferWorker offer) => (_run.Cluster, offer) switch
    {
        (null, _) => "the run takes no workers of other nodes; start its learner with --cluster",
        ({ Engine: not null }, { Engine: null }) =>
            "the run is deterministic, and this node is not: set model.device = cpu and rollout.threads = 1 there, or start the run with run.deterministic = false",
        ({ Engine: { } learner, Setup: var setup }, { Engine: { } engine }) when engine.WhyNot(learner, setup.Bfloat16) is { } fault =>
            $"the run is deterministic, and worker {offer.Name} at {offer.Session.Path.Address} cannot be: {fault}",
        _ when offer.Slots < _run.Settings.Rollout.GroupSize => $"a group has {_run.Settings.Rollout.GroupSize} answers and the node {offer.Slots} slots; raise rollout.slots there",
        _ when _workers.Values.Any(worker => worker.Name == offer.Name && !worker.Left && (worker.IsLocal || !worker.Node.Equals(offer.Session.Path.Address)) && worker.Health.State is WorkerState.Serving or WorkerState.Fetching) =>
            $"there is a worker {offer.Name} already; give this one another cluster.name",
        _ => null,
    };

    private void OnDisassociated(Address node)
    {
        foreach (Worker worker in _workers.Values.Where(worker => worker.Node.Equals(node) && !worker.Left).ToArray())
        {
            worker.Health = worker.Health.Disconnected(Now);
            React(worker);
        }
    }

    private void Reached(Address node, bool reachable)
    {
        foreach (Worker worker in _workers.Values.Where(worker => worker.Node.Equals(node) && !worker.Left).ToArray())
        {
            worker.Health = worker.Health.Reached(reachable, Now);
            React(worker);
        }

        GrantSoon();
    }
}
