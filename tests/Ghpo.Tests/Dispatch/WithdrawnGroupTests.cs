using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Rollout;
using Ghpo.Tests.Runs;
using Xunit;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Dispatch;

/// <summary>A straggler's group is with a worker of this process and one of another node, and one of the two is first.</summary>
public sealed class WithdrawnGroupTests : TwoNodesTests
{
    private static readonly PolicyPublished Policy = new(1, new PolicyVersion(0), "hash");

    [Fact]
    public async Task The_worker_that_was_not_first_drops_the_group_and_samples_the_next_one()
    {
        GhpoSettings settings = Tiny.Settings();
        (RunContext run, _) = TinyRun.Create(Tiny.NewFolder(), settings);
        run = run with { Cluster = new ClusterSide(run.Setup, new OnePolicyPlane(), null, null) };
        int answers = settings.Rollout.GroupSize;
        var local = new ManualWorker();
        IActorRef worker = Nodes.Learner.ActorOf(Hearer.Props(local.Hear), "local");
        IActorRef learner = Nodes.Learner.ActorOf(Hearer.Props((_, _) => { }), "learner");
        IActorRef dispatcher = Nodes.Learner.ActorOf(Props.Create(() => new DispatcherActor(run, learner, new[] { worker })), "dispatcher");
        dispatcher.Tell(Policy);
        Task<RolloutGroup> Sample(int index) => dispatcher.Ask<RolloutGroup>(
            new DispatchProtocol.SampleGroup(LeaseLedgerTests.Group(0, index, 0), new PolicyVersion(0), TimeProvider.System.GetTimestamp()), TwoNodes.Patience, Stop);

        // The first group tells how long one takes; the second one is out for longer.
        Task<RolloutGroup> first = Sample(0);
        (await local.NextAsync()).Answer(answers);
        await first;
        Task<RolloutGroup> second = Sample(1);
        ManualWorker.Job straggler = await local.NextAsync();

        var engine = new GatedEngine(answers);
        var node = new NodeContext("far", settings, new OnePolicyPlane(), Tiny.NewFolder(), null) { EngineFactory = _ => engine };
        IActorRef door = await Nodes.FromNode(dispatcher);
        Nodes.Node.ActorOf(Props.Create(() => new RolloutSessionActor(node, door)), "session");
        await Recorded(engine, "submit group 0/1, attempt 0");

        straggler.Answer(answers);
        Assert.Equal("local", (await second).Worker);
        await Recorded(engine, "withdraw group 0/1, attempt 0");
        Assert.Equal(0, engine.RunningSequences);

        // Now the local worker is the slow one, and the other one is first.
        Task<RolloutGroup> third = Sample(2);
        Task<RolloutGroup> fourth = Sample(3);
        straggler = await local.NextAsync();
        engine.Open();
        Assert.Equal("far", (await Task.WhenAll(third, fourth))[straggler.Index - 2].Worker);
        Assert.Equal(straggler.Index, await local.Withdrawn.Task.WaitAsync(TwoNodes.Patience, Stop));
    }

    private static Task Recorded(GatedEngine engine, string line) =>
        TestCluster.Until(() => engine.Record.Contains(line), () => $"'{line}' is not among {string.Join("; ", engine.Record)}");

    /// <summary>A worker that holds the policy and answers when the test says so.</summary>
    private sealed class ManualWorker
    {
        private readonly System.Threading.Channels.Channel<Job> _jobs = System.Threading.Channels.Channel.CreateUnbounded<Job>();
        private IActorRef _listener = ActorRefs.Nobody;

        public TaskCompletionSource<int> Withdrawn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<Job> NextAsync() => await _jobs.Reader.ReadAsync(Stop).AsTask().WaitAsync(TwoNodes.Patience, Stop);

        public void Hear(object message, IActorRef sender)
        {
            switch (message)
            {
                case RolloutProtocol.TellOfPolicies tell:
                    _listener = tell.Listener;
                    break;
                case PolicyPublished published:
                    _listener.Tell(new HeldPolicy(published.Epoch, published.Version, published.Hash));
                    break;
                case RolloutProtocol.GetWorker:
                    sender.Tell(new RolloutProtocol.WorkerView("local", Policy.Version, 1, 0, 1, 0, 0));
                    break;
                case RolloutProtocol.SampleGroup request:
                    Assert.True(_jobs.Writer.TryWrite(new Job(request.Prompted, sender)));
                    break;
                case RolloutProtocol.WithdrawGroup withdrawn:
                    Withdrawn.TrySetResult(withdrawn.Group.Index);
                    break;
                default:
                    break;
            }
        }

        public sealed record Job(PromptedGroup Prompted, IActorRef Asker)
        {
            public int Index => Prompted.Attempt.Group.Index;

            public void Answer(int answers) => Asker.Tell(new RolloutGroup(
                Prompted, [.. Enumerable.Repeat(new Completion([65], [-1], FinishReason.Stopped), answers)], Policy.Epoch, Policy.Version, "local"));
        }
    }
}
