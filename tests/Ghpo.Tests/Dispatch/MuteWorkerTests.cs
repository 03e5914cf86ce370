using Akka.Actor;
using Akka.Configuration;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Dispatch;
using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Tests.Runs;
using Xunit;
using static Ghpo.Dispatch.SessionProtocol;

namespace Ghpo.Tests.Dispatch;

/// <summary>
/// Where a link was cut, what was on its way over a StreamRef is lost, and so is the demand that it answered: both ends wait for each other, and the session's messages go on as if nothing
/// had happened.
/// </summary>
public sealed class MuteWorkerTests : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create(
        "mute-tests", ConfigurationFactory.ParseString("akka.loggers = []\nakka.stdout-loglevel = OFF").WithFallback(ActorMaterializer.DefaultConfig()));
    private readonly TinyRun _tiny = new();
    private readonly ManualTime _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _system.Dispose();
        _tiny.Dispose();
    }

    [Fact]
    public async Task A_worker_that_is_heard_and_has_nothing_in_hand_loses_its_session_when_its_stream_asks_for_nothing()
    {
        WorkerWelcomed welcome = await Welcome();
        Task lost = TwoNodes.Watch(_system, welcome.Session);
        for (int second = 0; !lost.IsCompleted; second++)
        {
            Assert.True(second < 60, "it still has its session");
            await Report(welcome, second);
        }

        await lost;
    }

    [Fact]
    public async Task A_worker_whose_stream_asks_keeps_its_session_however_long_there_is_nothing_for_it()
    {
        WorkerWelcomed welcome = await Welcome();
        _ = welcome.Work.Source.RunWith(Sink.Ignore<LeasedGroup>(), _system.Materializer());
        Task lost = TwoNodes.Watch(_system, welcome.Session);
        for (int second = 0; second < 15; second++)
        {
            await Report(welcome, second);
        }

        Assert.False(lost.IsCompleted);
    }

    /// <summary>A second on the learner's clock, which looks four times a second at the workers by another one.</summary>
    private async Task Report(WorkerWelcomed welcome, int second)
    {
        _time.Elapsed = TimeSpan.FromSeconds(second);
        welcome.Session.Tell(new WorkReported(0, 0, 0));
        await Task.Delay(300, Stop);
    }

    private async Task<WorkerWelcomed> Welcome()
    {
        (RunContext run, _) = TinyRun.Create(_tiny.NewFolder(), _tiny.Settings());
        run = run with { Cluster = new ClusterSide(run.Setup, new NoPlane(), null, null), Time = _time };
        var welcomed = new TaskCompletionSource<WorkerWelcomed>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef peer = _system.ActorOf(Hearer.Props((message, sender) =>
        {
            if (message is WorkerWelcomed welcome)
            {
                welcomed.TrySetResult(welcome);
            }
        }));
        IActorRef dispatcher = _system.ActorOf(Props.Create(() => new DispatcherActor(run, peer, Array.Empty<IActorRef>())));
        var policy = new LearnerProtocol.PolicyPublished(1, new PolicyVersion(0), "hash");
        dispatcher.Tell(policy);
        dispatcher.Tell(new OfferWorker("w", peer, Slots: 8, null));
        WorkerWelcomed welcome = await welcomed.Task.WaitAsync(TwoNodes.Patience, Stop);
        welcome.Session.Tell(new HeldPolicy(policy.Epoch, policy.Version, policy.Hash));
        return welcome;
    }
}
