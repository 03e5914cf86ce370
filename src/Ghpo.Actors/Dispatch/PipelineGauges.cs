using System.Collections.Immutable;
using System.Diagnostics;
using Ghpo.Inspection;
using Ghpo.Observability;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>
/// How many groups are inside each stage. Written by the streams, read by whoever watches; reading never waits for a stream.
/// </summary>
internal sealed class PipelineGauges(int permits, int rollout, int verification, int classification, int delivery)
{
    private long _tokens;

    /// <summary>Escalated groups that wait to be sampled again.</summary>
    public StageGauge Escalated { get; } = new("escalated", permits);

    public StageGauge Rollout { get; } = new("rollout", rollout);

    public StageGauge Verification { get; } = new("verification", verification);

    public StageGauge Classification { get; } = new("classification", classification);

    /// <summary>Settled groups on their way into the learner's journal.</summary>
    public StageGauge Delivery { get; } = new("delivery", delivery);

    /// <summary>Completion tokens sampled since the pipeline began.</summary>
    public long TokensSampled => Interlocked.Read(ref _tokens);

    public void CountTokens(RolloutGroup group) => Interlocked.Add(ref _tokens, group.Completions.Sum(completion => completion.Tokens.Length));

    public ImmutableArray<RunEvents.StageDepth> Read() =>
        [Escalated.Read(), Rollout.Read(), Verification.Read(), Classification.Read(), Delivery.Read()];
}

/// <summary>Counts what enters and leaves one stage. Thread-safe.</summary>
internal sealed class StageGauge(string name, int bound)
{
    private readonly KeyValuePair<string, object?> _tag = new(GhpoMeters.Stage, name);
    private long _entered;
    private long _left;
    private long _finished;

    public void Enter() => Interlocked.Increment(ref _entered);

    public void Exit() => Interlocked.Increment(ref _left);

    public T Entered<T>(T element)
    {
        Enter();
        return element;
    }

    public T Left<T>(T element)
    {
        Exit();
        return element;
    }

    /// <summary>The work of the stage, counted as it is done: from then on the group waits for the next stage.</summary>
    public Func<TIn, Task<TOut>> Counted<TIn, TOut>(Func<TIn, Task<TOut>> work) => async element =>
    {
        long begun = Stopwatch.GetTimestamp();
        TOut done = await work(element).ConfigureAwait(false);
        GhpoMeters.StageDuration.Record(Stopwatch.GetElapsedTime(begun).TotalSeconds, _tag);
        Interlocked.Increment(ref _finished);
        return done;
    };

    public RunEvents.StageDepth Read()
    {
        // What left is read first: read the other way round, a group passing between the two reads would count as negative.
        long left = Interlocked.Read(ref _left);
        long finished = Interlocked.Read(ref _finished);
        long entered = Interlocked.Read(ref _entered);
        return new RunEvents.StageDepth(name, (int)(entered - left), bound, left, (int)Math.Max(0, finished - left));
    }
}
