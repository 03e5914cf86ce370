using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote;
using Akka.Remote.Transport;
using Akka.Serialization;
using Akka.Streams;
using Ghpo.Dispatch;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>Two actor systems on loopback, set up as a learner's and a node's; each can lose the other at a stroke. Death watch notices within seconds.</summary>
internal sealed class TwoNodes : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public ActorSystem Learner { get; } = Start("learner");

    public ActorSystem Node { get; } = Start("node");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync() => await Task.WhenAll(Learner.Terminate(), Node.Terminate());

    /// <summary>From here on neither hears the other, and nobody has said good-bye.</summary>
    public async Task LoseAsync()
    {
        foreach ((ActorSystem one, ActorSystem other) in new[] { (Learner, Node), (Node, Learner) })
        {
            Assert.True(await ((RemoteActorRefProvider)((ExtendedActorSystem)one).Provider).Transport.ManagementCommand(
                new SetThrottle(AddressOf(other), ThrottleTransportAdapter.Direction.Both, Blackhole.Instance)));
        }
    }

    /// <summary>One of the learner's actors, as the node sees it.</summary>
    public Task<IActorRef> FromNode(IActorRef actor) => Far(actor, Learner, Node);

    /// <summary>One of the node's actors, as the learner sees it.</summary>
    public Task<IActorRef> FromLearner(IActorRef actor) => Far(actor, Node, Learner);

    /// <summary>Completes when death watch of that system has noticed that the actor is gone.</summary>
    public static Task<IActorRef> Watch(ActorSystem system, IActorRef who)
    {
        var died = new TaskCompletionSource<IActorRef>(TaskCreationOptions.RunContinuationsAsynchronously);
        system.ActorOf(Props.Create(() => new Watcher(who, died)));
        return died.Task.WaitAsync(Patience, Stop);
    }

    private static Task<IActorRef> Far(IActorRef actor, ActorSystem home, ActorSystem from) =>
        from.ActorSelection(actor.Path.ToStringWithAddress(AddressOf(home))).ResolveOne(Patience, Stop);

    private static Address AddressOf(ActorSystem system) => ((ExtendedActorSystem)system).Provider.DefaultAddress;

    private static ActorSystem Start(string name)
    {
        Config config = ConfigurationFactory.ParseString("""
            akka.loggers = []
            akka.remote.dot-netty.tcp.applied-adapters = ["trttl"]
            akka.remote.watch-failure-detector {
              heartbeat-interval = 200 ms
              expected-response-after = 1 s
              acceptable-heartbeat-pause = 1 s
              unreachable-nodes-reaper-interval = 200 ms
            }
            """).WithFallback(GhpoNode.AkkaConfiguration).WithFallback(ActorMaterializer.DefaultConfig());
        return ActorSystem.Create(name, ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(config),
            SerializationSetup.Create(system =>
                ImmutableHashSet.Create(SerializerDetails.Create("ghpo-dispatch", new DispatchSerializer(system), [.. DispatchSerializer.Types])))));
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(IActorRef who, TaskCompletionSource<IActorRef> died)
        {
            Context.Watch(who);
            Receive<Terminated>(gone => died.TrySetResult(gone.ActorRef));
        }
    }
}

/// <summary>Does with every message what it is told, with its sender.</summary>
internal sealed class Hearer : ReceiveActor
{
    public Hearer(Action<object, IActorRef> heard) => ReceiveAny(message => heard(message, Sender));

    public static Props Props(Action<object, IActorRef> heard) => Akka.Actor.Props.Create(() => new Hearer(heard));
}
