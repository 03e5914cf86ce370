using Akka;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Dispatch;
using Ghpo.Tests.Runs;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>
/// A StreamRef between two nodes goes on as if nothing had happened when one is lost; what is watched does not. Should the first test fail one day, Akka.Streams has
/// closed its hole, and sessions are needed for less than they are.
/// </summary>
public sealed class LostNodeTests : TwoNodesTests
{
    /// <summary>How long after death watch a StreamRef is still given to notice.</summary>
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task A_bare_StreamRef_runs_on_at_both_ends_when_its_node_is_lost_though_death_watch_has_noticed()
    {
        Task offered = null!;
        ISourceRef<string> made = await Source.From(["first"]).Concat(Source.Maybe<string>().MapMaterializedValue(_ => NotUsed.Instance))
            .WatchTermination((_, ended) =>
            {
                offered = ended;
                return NotUsed.Instance;
            })
            .RunWith(StreamRefs.SourceRef<string>(), Nodes.Learner.Materializer());
        Task? consumed = null;
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef consumer = Nodes.Node.ActorOf(Hearer.Props((message, _) =>
            consumed = ((ISourceRef<string>)message).Source.RunForeach(element => heard.TrySetResult(element), Nodes.Node.Materializer())), "consumer");
        IActorRef far = await Nodes.FromLearner(consumer);
        far.Tell(made);
        Assert.Equal("first", await heard.Task.WaitAsync(TwoNodes.Patience, Stop));
        Task atLearner = TwoNodes.Watch(Nodes.Learner, far);
        Task atNode = TwoNodes.Watch(Nodes.Node, await Nodes.FromNode(Nodes.Learner.ActorOf(Hearer.Props((_, _) => { }), "producer")));

        await Nodes.LoseAsync();
        await Task.WhenAll(atLearner, atNode);
        await Task.Delay(_grace, Stop);
        Assert.False(offered.IsCompleted, "The offering end has noticed.");
        Assert.False(consumed!.IsCompleted, "The consuming end has noticed.");
    }

    [Fact]
    public async Task Both_sessions_of_a_worker_end_when_its_node_is_lost_and_their_streams_with_them()
    {
        (RunContext run, _) = TinyRun.Create(Tiny.NewFolder(), Tiny.Settings());
        var plane = new NoPlane();
        var reported = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var joined = new TaskCompletionSource<IActorRef>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef dispatcher = Nodes.Learner.ActorOf(
            Props.Create(() => new Dispatcher(new ClusterSide(run.Setup, plane, null, null), joined, reported)), "dispatcher");
        IActorRef door = await Nodes.FromNode(dispatcher);
        var node = new NodeContext("w", Tiny.Settings(), plane, Tiny.NewFolder(), null);
        IActorRef session = Nodes.Node.ActorOf(Props.Create(() => new RolloutSessionActor(node, door)), "session");
        IActorRef remote = await joined.Task.WaitAsync(TwoNodes.Patience, Stop);
        await reported.Task.WaitAsync(TwoNodes.Patience, Stop);
        Task[] ends =
        [
            TwoNodes.Watch(Nodes.Learner, remote), TwoNodes.Watch(Nodes.Node, session),
            .. StreamsOf(remote).Select(stream => TwoNodes.Watch(Nodes.Learner, stream)), .. StreamsOf(session).Select(stream => TwoNodes.Watch(Nodes.Node, stream)),
        ];

        await Nodes.LoseAsync();
        await Task.WhenAll(ends);
    }

    /// <summary>What runs the actor's streams.</summary>
    private static IActorRef[] StreamsOf(IActorRef owner)
    {
        IActorRef[] streams = [.. ((ActorRefWithCell)owner).Children.Where(child => child.Path.Name.StartsWith("StreamSupervisor", StringComparison.Ordinal))];
        Assert.NotEmpty(streams);
        return streams;
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
