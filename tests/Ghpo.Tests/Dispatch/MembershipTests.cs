using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Ghpo.Dispatch;
using Ghpo.Tests.Runs;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>Who is a member of a learner's cluster, and who says so: the learner.</summary>
public sealed class MembershipTests
{
    /// <summary>Longer than it takes to lose a member and to put it out.</summary>
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(12);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_workers_that_cannot_see_each_other_stay_and_a_third_one_joins_and_leaves_meanwhile()
    {
        await using var cluster = new TestCluster();
        (ActorSystem one, ActorSystem other) = (cluster.StartNode(), cluster.StartNode());
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, one, other);

        await TestCluster.CutAsync(one, other);
        await Task.Delay(_long, Stop);
        ActorSystem third = cluster.StartNode();
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, one, other, third);
        await CoordinatedShutdown.Get(third).Run(CoordinatedShutdown.ClrExitReason.Instance).WaitAsync(TestCluster.Patience, Stop);
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, one, other);
    }

    [Fact]
    public async Task A_worker_that_the_learner_cannot_see_is_put_out_though_another_worker_sees_it_and_the_learner_stays()
    {
        await using var cluster = new TestCluster();
        (ActorSystem lost, ActorSystem other) = (cluster.StartNode(), cluster.StartNode());
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, lost, other);

        await TestCluster.CutAsync(cluster.Learner, lost);
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, other);
        ActorSystem third = cluster.StartNode();
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, other, third);
    }

    [Fact]
    public async Task A_learner_that_sees_none_of_its_workers_any_more_puts_them_out_and_stays()
    {
        await using var cluster = new TestCluster();
        (ActorSystem one, ActorSystem other) = (cluster.StartNode(), cluster.StartNode());
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, one, other);

        await TestCluster.CutAsync(cluster.Learner, one);
        await TestCluster.CutAsync(cluster.Learner, other);
        await TestCluster.UntilAllSeeEachOther(cluster.Learner);
        Assert.False(cluster.Learner.WhenTerminated.IsCompleted);
    }

    [Fact]
    public async Task A_node_stays_while_its_learner_answers_at_the_door_and_leaves_when_another_learner_does()
    {
        using var tiny = new TinyRun();
        await using var cluster = new TestCluster(canCut: false);
        ActorSystem node = cluster.StartNode();
        Task<NodeEnd> ended = EndOf(node, tiny);
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, node);
        await Task.Delay(TimeSpan.FromSeconds(4), Stop);
        Assert.False(ended.IsCompleted);

        // Killed, and back at once at the same address: its cluster is another one, and the node's cannot be mended.
        int port = TestCluster.AddressOf(cluster.Learner).Port!.Value;
        await TestCluster.KillAsync(cluster.Learner);
        ActorSystem successor = cluster.StartLearner(port);
        Assert.Equal(NodeEnd.LearnerLost, await ended.WaitAsync(TestCluster.Patience, Stop));
        Assert.DoesNotContain(Cluster.Get(successor).State.Members, member => member.Address.Equals(TestCluster.AddressOf(node)));
    }

    [Fact]
    public async Task A_node_leaves_when_it_hears_that_its_learner_has_put_it_out_and_not_when_another_process_has()
    {
        using var tiny = new TinyRun();
        await using var cluster = new TestCluster(canCut: false);
        ActorSystem node = cluster.StartNode();
        Task<NodeEnd> ended = EndOf(node, tiny);
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, node);
        Address learner = TestCluster.AddressOf(cluster.Learner);

        node.EventStream.Publish(new ThisActorSystemQuarantinedEvent(TestCluster.AddressOf(node), learner.WithPort(1)));
        await Task.Delay(500, Stop);
        Assert.False(ended.IsCompleted);
        node.EventStream.Publish(new ThisActorSystemQuarantinedEvent(TestCluster.AddressOf(node), learner));
        Assert.Equal(NodeEnd.PutOut, await ended.WaitAsync(TestCluster.Patience, Stop));
    }

    [Fact]
    public async Task A_node_that_finds_its_learner_leaving_already_does_not_wait_for_it()
    {
        using var tiny = new TinyRun();
        await using var cluster = new TestCluster(canCut: false);
        ActorSystem node = cluster.StartNode();
        await TestCluster.UntilAllSeeEachOther(cluster.Learner, node);
        Member learner = Cluster.Get(node).State.Members.Single(member => member.HasRole(GhpoNode.LearnerRole));
        Member other = Cluster.Get(node).SelfMember;

        ActorSystem late = cluster.StartNode(joins: false);
        Task<NodeEnd> ended = EndOf(late, tiny);
        ActorSelection actor = late.ActorSelection("/user/node");
        actor.Tell(new ClusterEvent.MemberLeft(other.Copy(MemberStatus.Leaving)));
        await Task.Delay(500, Stop);
        Assert.False(ended.IsCompleted);
        actor.Tell(new ClusterEvent.MemberLeft(learner.Copy(MemberStatus.Leaving)));
        Assert.Equal(NodeEnd.LearnerLeft, await ended.WaitAsync(TestCluster.Patience, Stop));
    }

    /// <summary>Why a node would leave its cluster, once it would. It has no role to work in.</summary>
    private static Task<NodeEnd> EndOf(ActorSystem node, TinyRun tiny)
    {
        var ended = new TaskCompletionSource<NodeEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        NodeContext context = new("w", tiny.Settings(), new NoPlane(), tiny.NewFolder(), null) { Roles = [] };
        node.ActorOf(Props.Create(() => new NodeActor(context, ActorRefs.Nobody, ended)), "node");
        return ended.Task;
    }
}
