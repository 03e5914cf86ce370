using Akka.Actor;
using Akka.Configuration;
using Akka.Streams;
using Ghpo.Dispatch;
using Ghpo.Rollout;
using Ghpo.Tests.Runs;
using Xunit;
using static Ghpo.Dispatch.SessionProtocol;

namespace Ghpo.Tests.Dispatch;

/// <summary>Whom a learner takes as a worker, as the worker hears it.</summary>
public sealed class WorkerOfferTests : IDisposable
{
    private static readonly EngineFingerprint Learner = new("X64 with AVX2", new TypeFingerprint("aaaa", ""), new TypeFingerprint("bbbb", ""));

    private readonly ActorSystem _system = ActorSystem.Create(
        "offer-tests", ConfigurationFactory.ParseString("akka.loggers = []\nakka.stdout-loglevel = OFF").WithFallback(ActorMaterializer.DefaultConfig()));
    private readonly TinyRun _tiny = new();

    public void Dispose()
    {
        _system.Dispose();
        _tiny.Dispose();
    }

    [Fact]
    public async Task A_worker_with_the_learners_bits_is_welcomed() =>
        Assert.IsType<WorkerWelcomed>(await Offer(learner: Learner, worker: Learner with { Processor = "X64 with AVX2, AVX-512F" }));

    [Fact]
    public async Task A_worker_that_does_not_reproduce_the_learners_bits_is_refused_by_name_and_node()
    {
        var refused = Assert.IsType<WorkerRefused>(await Offer(Learner, Learner with { Processor = "X64 with AVX-512F", Float32 = new TypeFingerprint("cccc", "") }));
        Assert.StartsWith("the run is deterministic, and worker w at akka://offer-tests cannot be: ", refused.Reason, StringComparison.Ordinal);
        Assert.Contains("it computes on X64 with AVX-512F and gets cccc, the learner on X64 with AVX2 gets aaaa;", refused.Reason, StringComparison.Ordinal);
        Assert.Contains("run.deterministic = false", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_whose_self_test_failed_is_refused_with_what_it_found()
    {
        var refused = Assert.IsType<WorkerRefused>(await Offer(Learner, Learner with { Float32 = new TypeFingerprint("aaaa", "answers differ in company") }));
        Assert.Contains("the self-test of its engine failed (float32 on X64 with AVX2): answers differ in company", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_with_several_threads_or_a_gpu_is_refused_by_a_deterministic_run() => Assert.Contains(
        "set model.device = cpu and rollout.threads = 1 there", Assert.IsType<WorkerRefused>(await Offer(Learner, worker: null)).Reason, StringComparison.Ordinal);

    [Fact]
    public async Task A_run_that_promises_no_bits_takes_any_worker()
    {
        Assert.IsType<WorkerWelcomed>(await Offer(learner: null, worker: null));
        Assert.IsType<WorkerWelcomed>(await Offer(learner: null, worker: Learner with { Float32 = new TypeFingerprint("cccc", "broken") }));
    }

    private async Task<object> Offer(EngineFingerprint? learner, EngineFingerprint? worker)
    {
        (RunContext run, _) = TinyRun.Create(_tiny.NewFolder(), _tiny.Settings());
        run = run with { Cluster = new ClusterSide(run.Setup, new NoPlane(), null, learner) };
        var answer = new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef session = _system.ActorOf(Props.Create(() => new Ear(answer)));
        IActorRef dispatcher = _system.ActorOf(Props.Create(() => new DispatcherActor(run, session, Array.Empty<IActorRef>())));
        dispatcher.Tell(new OfferWorker("w", session, Slots: 8, worker));
        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    private sealed class Ear : ReceiveActor
    {
        public Ear(TaskCompletionSource<object> answer)
        {
            Receive<WorkerWelcomed>(welcome => answer.TrySetResult(welcome));
            Receive<WorkerRefused>(refused => answer.TrySetResult(refused));
            ReceiveAny(_ => { });
        }
    }
}
