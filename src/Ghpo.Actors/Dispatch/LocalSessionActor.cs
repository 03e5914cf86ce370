using System.Collections.Immutable;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Learning;
using Ghpo.Rollout;
using static Ghpo.Dispatch.DispatchProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// The session of a worker in the dispatcher's own process: a stream of leases to the worker, with as many in it as the worker decodes together. It stops with its
/// stream, and its stream with it; the worker is another's child and is watched there.
/// </summary>
internal sealed class LocalSessionActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _reportInterval = TimeSpan.FromSeconds(1);

    private readonly string _id;
    private readonly IActorRef _worker;
    private readonly int _capacity;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopped = new();

    /// <param name="capacity">Groups that the worker decodes together.</param>
    public LocalSessionActor(string id, IActorRef worker, int capacity, TimeProvider time)
    {
        _id = id;
        _worker = worker;
        _capacity = capacity;
        _time = time;
        Receive<LearnerProtocol.PolicyPublished>(_worker.Tell);
        Receive<HeldPolicy>(held => Context.Parent.Tell(new PolicyLoaded(_id, held)));
        Receive<WithdrawLease>(withdrawn => _worker.Tell(new RolloutProtocol.WithdrawGroup(withdrawn.Key.Group, withdrawn.Key.Attempt)));
        Receive<Report>(_ => _worker.Tell(new RolloutProtocol.GetWorker()));
        Receive<RolloutProtocol.WorkerView>(view => Context.Parent.Tell(new WorkerReported(_id, view.RunningSequences, view.Starved, view.TokensSampled)));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        IActorRef dispatcher = Context.Parent;
        _worker.Tell(new RolloutProtocol.TellOfPolicies(Self));
        LeaseStream.Of(_id, dispatcher, _time, _stopped.Token)
            .SelectAsyncUnordered(_capacity, lease => SampleAsync(_worker, lease, _stopped.Token))
            .SelectMany(results => results)
            .RunForeach(result => dispatcher.Tell(result), Context.Materializer(namePrefix: "leases"));
        Timers.StartPeriodicTimer(nameof(Report), new Report(), _reportInterval);
    }

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    /// <returns>One <see cref="Sampled"/> or <see cref="SampleFailed"/>; nothing where the group was withdrawn.</returns>
    private async Task<ImmutableArray<object>> SampleAsync(IActorRef worker, Lease lease, CancellationToken stopped)
    {
        try
        {
            // No deadline here: the lease has one, and whoever gave it watches over it.
            RolloutGroup group = await worker
                .Ask<RolloutGroup>(new RolloutProtocol.SampleGroup(lease.Prompted, lease.Oldest), Timeout.InfiniteTimeSpan, stopped).ConfigureAwait(false);
            return [new Sampled(_id, lease.Key, group.Completions, group.Epoch, group.Version, _time.GetTimestamp())];
        }
        catch (OperationCanceledException) when (!stopped.IsCancellationRequested)
        {
            return [];
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            return [new SampleFailed(_id, lease.Key, failure)];
        }
    }

    private sealed record Report;
}

/// <summary>Leases as a stream: one is taken from the dispatcher whenever one is pulled, and never before.</summary>
internal static class LeaseStream
{
    public static Source<Lease, Akka.NotUsed> Of(string worker, IActorRef dispatcher, TimeProvider time, CancellationToken stopped) =>
        Source.UnfoldAsync(0, async _ =>
        {
            // However long it takes until there is work; the session's token ends the wait.
            Lease lease = await dispatcher.Ask<Lease>(new TakeLease(worker, time.GetTimestamp()), Timeout.InfiniteTimeSpan, stopped).ConfigureAwait(false);
            return Akka.Util.Option<(int, Lease)>.Create((0, lease));
        });
}
