using System.Collections.Immutable;
using Akka;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote;
using Akka.Remote.Transport;
using Akka.Serialization;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Dispatch;
using Ghpo.Tests.Runs;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>
/// Two systems of which each loses the other at a stroke: nothing is heard any more, and nobody says good-bye. A StreamRef between them goes on as if nothing had
/// happened; what is watched does not. Should the first test fail one day, Akka.Streams has closed its hole, and sessions are needed for less than they are.
/// </summary>
public sealed class LostNodeTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>How long after death watch a StreamRef is still given to notice.</summary>
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(3);

    private readonly ActorSystem _learner = Start("learner");
    private readonly ActorSystem _node = Start("node");
    private readonly TinyRun _tiny = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_learner.Terminate(), _node.Terminate());
        _tiny.Dispose();
    }

    [Fact]
    public async Task A_bare_StreamRef_runs_on_at_both_ends_when_its_node_is_lost_though_death_watch_has_noticed()
    {
        var offered = new TaskCompletionSource<NotUsed>();
        ISourceRef<string> made = await Source.From(["first"]).Concat(Source.Maybe<string>().MapMaterializedValue(_ => NotUsed.Instance))
            .WatchTermination((_, ended) => Link(ended, offered))
            .RunWith(StreamRefs.SourceRef<string>(), _learner.Materializer());
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumed = new TaskCompletionSource<NotUsed>();
        Action<object> consume = message => Link(((ISourceRef<string>)message).Source.RunForeach(element => heard.TrySetResult(element), _node.Materializer()), consumed);
        IActorRef consumer = _node.ActorOf(Props.Create(() => new Hearer(consume)), "consumer");
        IActorRef far = await Far(consumer, _node, _learner);
        far.Tell(made);
        Assert.Equal("first", await heard.Task.WaitAsync(_patience, Stop));
        Task<IActorRef> atLearner = Watch(_learner, far);
        Action<object> ignore = _ => { };
        Task<IActorRef> atNode = Watch(_node, await Far(_learner.ActorOf(Props.Create(() => new Hearer(ignore)), "producer"), _learner, _node));

        await Lose();
        Assert.Equal(far, await atLearner.WaitAsync(_patience, Stop));
        await atNode.WaitAsync(_patience, Stop);
        await Task.Delay(_grace, Stop);
        Assert.False(offered.Task.IsCompleted, "The offering end has noticed.");
        Assert.False(consumed.Task.IsCompleted, "The consuming end has noticed.");
    }

    [Fact]
    public async Task Both_sessions_of_a_worker_end_when_its_node_is_lost_and_their_streams_with_them()
    {
        (RunContext run, _) = TinyRun.Create(_tiny.NewFolder(), _tiny.Settings());
        var plane = new NoPlane();
        var reported = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var joined = new TaskCompletionSource<IActorRef>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef dispatcher = _learner.ActorOf(
            Props.Create(() => new Dispatcher(new ClusterSide(run.Setup, plane, null, null), joined, reported)), "dispatcher");
        IActorRef door = await Far(dispatcher, _learner, _node);
        var node = new NodeContext("w", _tiny.Settings("rollout.threads=1"), plane, _tiny.NewFolder(), null);
        IActorRef session = _node.ActorOf(Props.Create(() => new RolloutSessionActor(node, door)), "session");
        IActorRef remote = await joined.Task.WaitAsync(_patience, Stop);
        await reported.Task.WaitAsync(_patience, Stop);
        Task<IActorRef> atLearner = Watch(_learner, remote);
        Task<IActorRef> atNode = Watch(_node, session);
        Task streams = Task.WhenAll(StreamsOf(_learner, remote), StreamsOf(_node, session));

        await Lose();
        Assert.Equal(remote, await atLearner.WaitAsync(_patience, Stop));
        Assert.Equal(session, await atNode.WaitAsync(_patience, Stop));
        await streams.WaitAsync(_patience, Stop);
    }

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

    /// <summary>From here on neither hears the other.</summary>
    private async Task Lose()
    {
        foreach ((ActorSystem one, ActorSystem other) in new[] { (_learner, _node), (_node, _learner) })
        {
            Assert.True(await ((RemoteActorRefProvider)((ExtendedActorSystem)one).Provider).Transport.ManagementCommand(
                new SetThrottle(AddressOf(other), ThrottleTransportAdapter.Direction.Both, Blackhole.Instance)));
        }
    }

    /// <summary>An actor of the other system, from here.</summary>
    private static Task<IActorRef> Far(IActorRef actor, ActorSystem home, ActorSystem from) =>
        from.ActorSelection(actor.Path.ToStringWithAddress(AddressOf(home))).ResolveOne(_patience, Stop);

    private static Address AddressOf(ActorSystem system) => ((ExtendedActorSystem)system).Provider.DefaultAddress;

    private static Task<IActorRef> Watch(ActorSystem system, IActorRef who)
    {
        var died = new TaskCompletionSource<IActorRef>(TaskCreationOptions.RunContinuationsAsynchronously);
        system.ActorOf(Props.Create(() => new Watcher(who, died)));
        return died.Task;
    }

    /// <summary>Completes when every stream that the actor runs now has ended.</summary>
    private static Task StreamsOf(ActorSystem system, IActorRef owner)
    {
        IActorRef[] streams = [.. ((ActorRefWithCell)owner).Children.Where(child => child.Path.Name.StartsWith("StreamSupervisor", StringComparison.Ordinal))];
        Assert.NotEmpty(streams);
        return Task.WhenAll(streams.Select(stream => Watch(system, stream)));
    }

    private static NotUsed Link(Task ended, TaskCompletionSource<NotUsed> to)
    {
        ended.ContinueWith(_ => to.TrySetResult(NotUsed.Instance), TaskScheduler.Default);
        return NotUsed.Instance;
    }

    private sealed class Hearer : ReceiveActor
    {
        public Hearer(Action<object> heard) => ReceiveAny(heard);
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(IActorRef who, TaskCompletionSource<IActorRef> died)
        {
            Context.Watch(who);
            Receive<Terminated>(gone => died.TrySetResult(gone.ActorRef));
        }
    }

    /// <summary>Welcomes the first worker that offers itself, and never has a group for it.</summary>
    private sealed class Dispatcher : ReceiveActor
    {
        public Dispatcher(ClusterSide side, TaskCompletionSource<IActorRef> joined, TaskCompletionSource reported)
        {
            Receive<SessionProtocol.OfferWorker>(offer =>
            {
                if (!joined.Task.IsCompleted)
                {
                    joined.SetResult(Context.ActorOf(Props.Create(() => new RemoteSessionActor("w#1", offer.Session, side, TimeProvider.System))));
                }
            });
            Receive<DispatchProtocol.WorkerReported>(_ => reported.TrySetResult());
            ReceiveAny(_ => { });
        }
    }
}
