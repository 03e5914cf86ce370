namespace Ghpo.Dispatch;

/// <summary>What a worker can do and does.</summary>
/// <param name="Capacity">Groups that it decodes together.</param>
/// <param name="Held">Groups that it has in hand.</param>
/// <param name="Speed">Measured tokens/s; 0: not measured yet.</param>
internal readonly record struct WorkLoad(string Worker, int Capacity, int Held, double Speed);

/// <summary>
/// How open groups are shared among workers: by their measured speed, as far as their capacity goes.
/// <code>
/// share(w) = min(capacity(w), ⌈open · speed(w) / Σ speed⌉)
/// </code>
/// Without shares whoever asks fastest would take all: a worker in the learner's own process asks a thousand times while one across a network asks once, and a
/// step is as slow as its slowest part.
/// </summary>
internal static class WorkShares
{
    /// <summary>True for a worker that is to wait, because another one that can work has less than its share.</summary>
    /// <param name="workers">All that can work, the asking one included.</param>
    /// <param name="open">Groups without a result.</param>
    public static bool MustWait(string worker, IReadOnlyList<WorkLoad> workers, int open)
    {
        double known = workers.Where(load => load.Speed > 0).Select(load => load.Speed).DefaultIfEmpty(1).Average();
        double Speed(WorkLoad load) => load.Speed > 0 ? load.Speed : known;
        double total = workers.Sum(Speed);
        bool Lacks(WorkLoad load) => load.Held < Math.Min(load.Capacity, (int)Math.Ceiling(open * Speed(load) / total));
        return !workers.Any(load => load.Worker == worker && Lacks(load)) && workers.Any(load => load.Worker != worker && Lacks(load));
    }
}
