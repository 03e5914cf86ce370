namespace Ghpo.Learning;

/// <summary>How long steps take. Starts with the learner's life: for a resumed step the time before the crash is not counted.</summary>
internal sealed class LearnerClock(TimeProvider time)
{
    private readonly Dictionary<int, long> opened = [];
    private readonly Dictionary<int, long> settled = [];
    private readonly long started = time.GetTimestamp();
    private long? committed;

    internal void Opened(int step) => opened.TryAdd(step, time.GetTimestamp());

    internal void Settled(int step) => settled[step] = time.GetTimestamp();

    /// <returns>Seconds from the step's opening to its last settled group, and from the commit before it to now.</returns>
    internal (double Rollout, double Step) Commit(int step)
    {
        long now = time.GetTimestamp();
        long begin = opened.GetValueOrDefault(step, started);
        double rollout = settled.TryGetValue(step, out long end) ? time.GetElapsedTime(begin, end).TotalSeconds : 0;
        double whole = time.GetElapsedTime(committed ?? begin, now).TotalSeconds;
        committed = now;
        opened.Remove(step);
        settled.Remove(step);
        return (rollout, whole);
    }
}
