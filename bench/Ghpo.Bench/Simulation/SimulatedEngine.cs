using System.Diagnostics;
using Ghpo.Policy;
using Ghpo.Rollout;

namespace Ghpo.Bench.Simulation;

/// <summary>An engine without a model: a group is finished when its time is over. A step sleeps until the next one is, and not longer than a long token takes.</summary>
/// <param name="slots">Sequences that it decodes together.</param>
/// <param name="stop">The stop token.</param>
internal sealed class SimulatedEngine(SimulatedWork work, int slots, int stop) : IGenerationEngine
{
    /// <summary>Between two steps groups, policies and questions are heard.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromMilliseconds(100);

    private readonly List<Running> _running = [];
    private long _sampled;

    public int FreeSlots => slots - RunningSequences;

    public int RunningSequences => _running.Sum(running => running.Request.Answers);

    /// <summary>Finished ones whole, running ones as far as their time has gone.</summary>
    public long TokensSampled => _sampled + _running.Sum(running => (long)(running.Request.Answers * work.Tokens
        * Math.Min(1, Stopwatch.GetElapsedTime(running.Began).TotalSeconds / running.Takes.TotalSeconds)));

    public void LoadPolicy(PolicySnapshot policy)
    {
    }

    public void Submit(GenerationRequest request) =>
        _running.Add(new Running(request, Stopwatch.GetTimestamp(), TimeSpan.FromSeconds(work.SecondsOf(request.Seed))));

    public void Withdraw(object tag) => _running.RemoveAll(running => running.Request.Tag == tag);

    public IReadOnlyList<GenerationResult> Step()
    {
        if (_running.Count == 0)
        {
            return [];
        }

        TimeSpan next = _running.Min(running => running.Left);
        if (next > TimeSpan.Zero)
        {
            Thread.Sleep(next < LongestStep ? next : LongestStep);
        }

        Running[] done = [.. _running.Where(running => running.Left <= TimeSpan.Zero)];
        _running.RemoveAll(done.Contains);
        _sampled += done.Sum(one => (long)one.Request.Answers * work.Tokens);
        return [.. done.Select(one => new GenerationResult(
            one.Request.Tag, [.. Enumerable.Range(0, one.Request.Answers).Select(answer => work.Answer(one.Request.Seed, answer, stop))]))];
    }

    public void Dispose() => _running.Clear();

    private sealed record Running(GenerationRequest Request, long Began, TimeSpan Takes)
    {
        public TimeSpan Left => Takes - Stopwatch.GetElapsedTime(Began);
    }
}
