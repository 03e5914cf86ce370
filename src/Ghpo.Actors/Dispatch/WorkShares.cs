namespace Ghpo.Dispatch;

/// <summary>What a worker that can work does.</summary>
/// <param name="Capacity">Groups that it decodes together.</param>
/// <param name="Held">Groups that it has in hand, those on their way to it included.</param>
/// <param name="Speed">Measured tokens/s; 0: not measured yet.</param>
/// <param name="Asks">It waits for a group.</param>
internal readonly record struct WorkLoad(int Capacity, int Held, double Speed, bool Asks);

/// <summary>
/// How open groups are shared among workers: by their measured speed, as far as their capacity goes.
/// <code>
/// share(w) = min(capacity(w), ⌈open · speed(w) / Σ speed⌉)
/// </code>
/// Without shares whoever asks fastest would take all: a worker in the learner's own process asks a thousand times while one across a network asks once, and a
/// step is as slow as its slowest part.
/// <para>
/// Nobody is given more than he decodes together while others may run dry meanwhile: beyond his capacity a group does not begin sooner, it only hides the way of the next one, and a
/// worker that becomes free could have begun it. So a worker that is full gets another one only while as many groups are pending as all workers together decode.
/// </para>
/// </summary>
internal static class WorkShares
{
    /// <summary>
    /// One round of giving: each that asks is offered at most one group, those first that have less than their share, and of equals the one with the fewest in hand. Those that have
    /// their share get nothing while somebody lacks, unless <paramref name="patient"/> is false. Takes n log n steps for n workers.
    /// </summary>
    /// <param name="workers">All that can work, those included that do not ask.</param>
    /// <param name="open">Groups without a result.</param>
    /// <param name="pending">Groups that nobody has in hand.</param>
    /// <param name="patient">No group has waited for long.</param>
    /// <param name="give">Gives the worker at this index a group; false: there is none for it.</param>
    public static void Give(IReadOnlyList<WorkLoad> workers, int open, int pending, bool patient, Func<int, bool> give)
    {
        WorkLoad[] loads = [.. workers];
        double sum = 0;
        int measured = 0;
        int room = 0;
        foreach (WorkLoad load in loads)
        {
            sum += load.Speed;
            measured += load.Speed > 0 ? 1 : 0;
            room += load.Capacity;
        }

        double known = measured > 0 ? sum / measured : 1;
        double total = sum + (known * (loads.Length - measured));
        int Share(WorkLoad load) => Math.Min(load.Capacity, (int)Math.Ceiling(open * (load.Speed > 0 ? load.Speed : known) / total));

        int lacking = 0;
        var below = new List<int>();
        var others = new List<int>();
        for (int i = 0; i < loads.Length; i++)
        {
            bool lacks = loads[i].Held < Share(loads[i]);
            lacking += lacks ? 1 : 0;
            if (loads[i].Asks)
            {
                (lacks ? below : others).Add(i);
            }
        }

        int ByHeld(int left, int right) => (loads[left].Held, left).CompareTo((loads[right].Held, right));
        below.Sort(ByHeld);
        foreach (int i in below)
        {
            if (give(i))
            {
                pending--;
                lacking -= loads[i].Held + 1 < Share(loads[i]) ? 0 : 1;
            }
        }

        if (patient && lacking > 0)
        {
            return;
        }

        others.Sort(ByHeld);
        foreach (int i in others)
        {
            if ((loads[i].Held < loads[i].Capacity || pending >= room) && give(i))
            {
                pending--;
            }
        }
    }
}
