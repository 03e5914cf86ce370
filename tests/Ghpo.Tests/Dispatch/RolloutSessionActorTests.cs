using System.Threading.Channels;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Dispatch;
using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Tests.Runs;
using Xunit;
using static Ghpo.Dispatch.SessionProtocol;

namespace Ghpo.Tests.Dispatch;

/// <summary>A node's end of a session, by what it reports to a learner that is only heard.</summary>
public sealed class RolloutSessionActorTests : TwoNodesTests
{
    private readonly OnePolicyPlane _plane = new();
    private readonly Channel<WorkReported> _reports = Channel.CreateUnbounded<WorkReported>();

    [Fact]
    public async Task What_is_told_again_is_not_fetched_again_and_reports_name_what_was_heard_and_what_is_held()
    {
        IActorRef session = await Welcomed();
        session.Tell(Policy(0));
        await Reported(heard: 0, held: 0);
        session.Tell(Policy(0));
        session.Tell(Policy(1));
        await Reported(heard: 1, held: 1);
        Assert.Equal(2, _plane.Fetches);
    }

    [Fact]
    public async Task A_fetch_that_a_newer_one_has_overtaken_is_left_and_what_it_still_brings_does_not_take_the_worker_back()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _plane.Gates[1] = (gate.Task, cancelled);
        IActorRef session = await Welcomed();
        session.Tell(Policy(0));
        session.Tell(Policy(1));
        session.Tell(Policy(2));
        await Reported(heard: 2, held: 2);
        await cancelled.Task.WaitAsync(TwoNodes.Patience, Stop);

        gate.SetResult();
        for (int report = 0; report < 2; report++)
        {
            Assert.Equal(new WorkReported(0, 0, 0, Policy(2), Held(2)), await Report());
        }

        session.Tell(Policy(3));
        await Reported(heard: 3, held: 3);
    }

    private static LearnerProtocol.PolicyPublished Policy(int version) => new(1, new PolicyVersion(version), $"hash {version}");

    private static HeldPolicy Held(int version) => new(1, new PolicyVersion(version), $"hash {version}");

    private async Task Reported(int heard, int held)
    {
        var expected = new WorkReported(0, 0, 0, Policy(heard), Held(held));
        int reports = 0;
        while (await Report() is var report && report != expected)
        {
            // One comes each second.
            Assert.True(++reports < 60, $"reported is {report}, not {expected}");
        }
    }

    private async Task<WorkReported> Report() => await _reports.Reader.ReadAsync(Stop).AsTask().WaitAsync(TwoNodes.Patience, Stop);

    private async Task<IActorRef> Welcomed()
    {
        (RunContext run, _) = TinyRun.Create(Tiny.NewFolder(), Tiny.Settings());
        ActorSystem system = Nodes.Node;
        IActorRef learner = system.ActorOf(Hearer.Props((message, _) => Assert.True(message is not WorkReported report || _reports.Writer.TryWrite(report))));
        var offered = new TaskCompletionSource<IActorRef>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef door = system.ActorOf(Hearer.Props((message, _) => offered.TrySetResult(((OfferWorker)message).Session)));
        var node = new NodeContext("w", Tiny.Settings(), _plane, Tiny.NewFolder(), null) { EngineFactory = _ => new GatedEngine(8) };
        system.ActorOf(Props.Create(() => new RolloutSessionActor(node, door)));
        IActorRef session = await offered.Task.WaitAsync(TwoNodes.Patience, Stop);
        session.Tell(new WorkerWelcomed(
            learner,
            run.Setup,
            _plane.Address,
            "",
            await Source.Maybe<LeasedGroup>().RunWith(StreamRefs.SourceRef<LeasedGroup>(), system.Materializer()),
            await StreamRefs.SinkRef<SampledAnswers>().To(Sink.Ignore<SampledAnswers>()).Run(system.Materializer())));
        return session;
    }
}
