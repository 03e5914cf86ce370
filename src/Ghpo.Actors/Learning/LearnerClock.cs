namespace Ghpo.Learning;

/// <summary>How long steps take. Starts with the learner's life: for a resumed step the time before the crash is not counted.</summary>
internal sealed class LearnerClock(TimeProvider time)
{
    private readonly Dictionary<int, long> _opened = [];
    private readonly Dictionary<int, long> _settled = [];
    private readonly long _started = time.GetTimestamp();
    private long? _committed;

    internal void Opened(int step) => _opened.TryAdd(step, time.GetTimestamp());

    internal void Settled(int step) => _settled[step] = time.GetTimestamp();

    /// <summary>A pause is over. Where it kept all steps from being opened, the next one begins now: no step takes as long as a pause.</summary>
    internal void Resumed()
    {
        if (_opened.Count == 0)
        {
            _committed = time.GetTimestamp();
        }
    }

    /// <returns>Seconds from the step's opening to its last settled group, and from the commit before it to now.</returns>
    internal (double Rollout, double Step) Commit(int step)
    {
        long now = time.GetTimestamp();
        long begin = _opened.GetValueOrDefault(step, _started);
        double rollout = _settled.TryGetValue(step, out long end) ? time.GetElapsedTime(begin, end).TotalSeconds : 0;
        double whole = time.GetElapsedTime(_committed ?? begin, now).TotalSeconds;
        _committed = now;
        _opened.Remove(step);
        _settled.Remove(step);
        return (rollout, whole);
    }
}
