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
/// What is told between nodes arrives once or never. Where a link was cut, what was on its way over a StreamRef is lost, and so is the demand that it answered: both ends wait for each other, and the session's
/// messages go on as if nothing had happened. So it is with the word of a policy, and with the word that it is loaded.
/// </summary>
public sealed class LostMessageTests : IDisposable
{
    private static readonly LearnerProtocol.PolicyPublished Policy = new(1, new PolicyVersion(0), "hash");
    private static readonly HeldPolicy Held = new(Policy.Epoch, Policy.Version, Policy.Hash);

    private readonly ActorSystem _system = ActorSystem.Create(
        "lost-message-tests", ConfigurationFactory.ParseString("akka.loggers = []\nakka.stdout-loglevel = OFF").WithFallback(ActorMaterializer.DefaultConfig()));
    private readonly TinyRun _tiny = new();
    private readonly ManualTime _time = new();
    private IActorRef _dispatcher = ActorRefs.Nobody;
    private int _told;

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

    [Fact]
    public async Task A_worker_whose_reports_do_not_name_the_policy_is_told_of_it_again_and_after_that_no_more()
    {
        WorkerWelcomed welcome = await Welcome(held: false);
        await Told(1);
        for (int report = 0; report < 2; report++)
        {
            welcome.Session.Tell(new WorkReported(0, 0, 0, Heard: null, Held: null));
        }

        await Told(2);
        for (int report = 0; report < 5; report++)
        {
            welcome.Session.Tell(new WorkReported(0, 0, 0, Policy, Held: null));
        }

        Assert.Equal(WorkerState.Fetching, await State(welcome));
        Assert.Equal(2, Volatile.Read(ref _told));
    }

    [Fact]
    public async Task A_worker_whose_word_of_what_it_holds_was_lost_serves_from_its_next_report_on()
    {
        WorkerWelcomed welcome = await Welcome(held: false);
        welcome.Session.Tell(new WorkReported(0, 0, 0, Policy, Held));
        Assert.Equal(WorkerState.Serving, await State(welcome));
    }

    private Task Told(int times) => TestCluster.Until(() => Volatile.Read(ref _told) >= times, () => $"told {_told} times, not {times}");

    /// <summary>What the learner thinks of the worker once it has heard everything that was told to its session before.</summary>
    private async Task<WorkerState> State(WorkerWelcomed welcome)
    {
        await welcome.Session.Ask<ActorIdentity>(new Identify(null), TwoNodes.Patience, Stop);
        return Assert.Single((await _dispatcher.Ask<WorkerProtocol.WorkersView>(new WorkerProtocol.GetWorkers(), TwoNodes.Patience, Stop)).Workers).State;
    }

    /// <summary>A second on the learner's clock, which looks four times a second at the workers by another one.</summary>
    private async Task Report(WorkerWelcomed welcome, int second)
    {
        _time.Elapsed = TimeSpan.FromSeconds(second);
        welcome.Session.Tell(new WorkReported(0, 0, 0, Policy, Held));
        await Task.Delay(300, Stop);
    }

    private async Task<WorkerWelcomed> Welcome(bool held = true)
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
            else if (message is LearnerProtocol.PolicyPublished)
            {
                Interlocked.Increment(ref _told);
            }
        }));
        _dispatcher = _system.ActorOf(Props.Create(() => new DispatcherActor(run, peer, Array.Empty<IActorRef>())));
        _dispatcher.Tell(Policy);
        _dispatcher.Tell(new OfferWorker("w", peer, Slots: 8, null));
        WorkerWelcomed welcome = await welcomed.Task.WaitAsync(TwoNodes.Patience, Stop);
        if (held)
        {
            welcome.Session.Tell(Held);
        }

        return welcome;
    }
}
