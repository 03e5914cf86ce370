using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.Remote;
using Akka.Remote.Transport;
using Akka.Streams;
using Ghpo.Dispatch;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>
/// A learner's actor system and those of nodes, members of one cluster on loopback, set up as in a run but quicker to lose each other: 5 s until a failure detector
/// loses a member, 3 s more until the learner puts it out, which a busy machine does not keep a node silent for. Any link between two can be cut.
/// </summary>
internal sealed class TestCluster : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly List<ActorSystem> _systems = [];

    private readonly string _adapters;

    /// <param name="canCut">With links that can be cut. What cuts them swallows the end of a connection that its peer's death has broken.</param>
    public TestCluster(bool canCut = true)
    {
        _adapters = canCut ? "\"trttl\"" : "";
        Learner = StartLearner(port: 0);
    }

    public ActorSystem Learner { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static Address AddressOf(ActorSystem system) => Cluster.Get(system).SelfAddress;

    /// <summary>Addresses of the members that are up in the eyes of this system, itself included; those that it cannot reach are in brackets.</summary>
    public static ImmutableSortedSet<string> Seen(ActorSystem system)
    {
        ClusterEvent.CurrentClusterState state = Cluster.Get(system).State;
        return [.. state.Members.Where(member => member.Status == MemberStatus.Up).Select(member => state.Unreachable.Contains(member) ? $"[{member.Address}]" : $"{member.Address}")];
    }

    /// <summary>Waits until each of these sees exactly all of these, up and reachable.</summary>
    public static async Task UntilAllSeeEachOther(params ActorSystem[] systems)
    {
        ImmutableSortedSet<string> all = [.. systems.Select(system => $"{AddressOf(system)}")];
        await Until(() => systems.All(system => Seen(system).SetEquals(all)), () => string.Join('\n', systems.Select(Everything)));
    }

    /// <summary>Members of any status, for an error message.</summary>
    private static string Everything(ActorSystem system)
    {
        ClusterEvent.CurrentClusterState state = Cluster.Get(system).State;
        return $"{AddressOf(system)} sees {string.Join(", ", state.Members.Select(member => $"{member.Address} {member.Status}"))}; unreachable: {string.Join(", ", state.Unreachable.Select(member => member.Address))}";
    }

    public static async Task Until(Func<bool> isSo, Func<string> what)
    {
        using var over = new CancellationTokenSource(Patience);
        while (!isSo())
        {
            Assert.False(over.IsCancellationRequested, what());
            await Task.Delay(50, Stop);
        }
    }

    /// <summary>A learner makes a cluster of its own.</summary>
    public ActorSystem StartLearner(int port)
    {
        ActorSystem system = Start(GhpoNode.LearnerConfiguration, GhpoNode.LearnerRole, port);
        Cluster cluster = Cluster.Get(system);
        system.ActorOf(Props.Create(() => new DoorActor()), DoorActor.NameOf(cluster.SelfUniqueAddress));
        system.ActorOf(Hearer.Props((_, _) => { }), "run");
        cluster.Join(cluster.SelfAddress);
        return system;
    }

    /// <summary>A node that joins the learner, or not yet.</summary>
    public ActorSystem StartNode(bool joins = true)
    {
        ActorSystem system = Start(GhpoNode.NodeConfiguration, GhpoNode.RolloutRole, port: 0);
        if (joins)
        {
            Cluster.Get(system).Join(AddressOf(Learner));
        }

        return system;
    }

    /// <summary>From here on neither hears the other, and nobody has said good-bye.</summary>
    public static async Task CutAsync(ActorSystem one, ActorSystem other)
    {
        foreach ((ActorSystem from, ActorSystem to) in new[] { (one, other), (other, one) })
        {
            Assert.True(await ((RemoteActorRefProvider)((ExtendedActorSystem)from).Provider).Transport.ManagementCommand(
                new SetThrottle(AddressOf(to), ThrottleTransportAdapter.Direction.Both, Blackhole.Instance)));
        }
    }

    /// <summary>Ends it without a word to the others.</summary>
    public static Task KillAsync(ActorSystem system) => system.Terminate();

    public async ValueTask DisposeAsync() => await Task.WhenAll(_systems.Select(KillAsync));

    private ActorSystem Start(Config membership, string role, int port)
    {
        ActorSystem system = ActorSystem.Create(GhpoNode.SystemName, ConfigurationFactory.ParseString(string.Create(CultureInfo.InvariantCulture, $$"""
            akka.loggers = []
            akka.coordinated-shutdown.run-by-actor-system-terminate = off
            akka.cluster.roles = ["{{role}}"]
            akka.cluster.gossip-interval = 200 ms
            akka.cluster.leader-actions-interval = 200 ms
            akka.cluster.failure-detector.heartbeat-interval = 300 ms
            akka.cluster.failure-detector.acceptable-heartbeat-pause = 5 s
            ghpo-learner-downing.patience = 3 s
            akka.remote.dot-netty.tcp.port = {{port}}
            akka.remote.dot-netty.tcp.applied-adapters = [{{_adapters}}]
            """)).WithFallback(membership).WithFallback(GhpoNode.AkkaConfiguration).WithFallback(ActorMaterializer.DefaultConfig()));
        _systems.Add(system);
        return system;
    }
}
