namespace Ghpo.Models.Simd;

/// <summary>
/// The threads of one decoder. The caller of <see cref="Run"/> is one of them; the others wait for work.
/// <code>
/// range = (next, end)          a thread's own items: it takes the next one, in ascending order; who has none left takes the last one of another's
/// done  = items finished       the caller returns when it equals the items of the round
/// </code>
/// So neighbouring items come one after the other on the same core, whose cache may hold what follows an item in memory. And a thread that the system has taken
/// off its core holds up at most the item it has in hand: the others take the rest. A helper spins for some tens of microseconds, which is what passes
/// between two products, and then sleeps until the next round.
/// </summary>
internal sealed class Crew : IDisposable
{
    /// <summary>Rounds of waiting before a helper sleeps, and before the caller gives way to whoever holds the last item.</summary>
    private const int Spins = 2000;

    /// <summary>Words from one thread's range to the next: each has a cache line of its own, and so has the first.</summary>
    private const int Apart = 16;

    private readonly Thread[] _helpers;
    private readonly long[] _ranges;
    private readonly SemaphoreSlim _wake = new(0);
    private Action<int, int> _work = (_, _) => { };
    private int _done;
    private int _asleep;
    private volatile bool _ended;
    private Exception? _failure;

    /// <param name="threads">The caller included.</param>
    internal Crew(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        _helpers = new Thread[threads - 1];
        _ranges = new long[(threads + 1) * Apart];
        for (int helper = 0; helper < _helpers.Length; helper++)
        {
            int thread = helper + 1;
            _helpers[helper] = new Thread(() => Help(thread)) { IsBackground = true, Name = $"decoder-{thread}" };
            _helpers[helper].Start();
        }
    }

    internal int Threads => _helpers.Length + 1;

    /// <summary>Calls <paramref name="work"/> once for each item, with the item and the number of the thread it runs on, and returns when all are done.</summary>
    internal void Run(int items, Action<int, int> work)
    {
        if (_helpers.Length == 0 || items <= 1)
        {
            for (int item = 0; item < items; item++)
            {
                work(item, 0);
            }

            return;
        }

        _work = work;
        _done = 0;

        // Full fences: either a helper that is about to sleep sees this round, or this sees that it is asleep.
        for (int thread = 0; thread < Threads; thread++)
        {
            Interlocked.Exchange(ref Range(thread), Packed((int)((long)items * thread / Threads), (int)((long)items * (thread + 1) / Threads)));
        }

        int asleep = Volatile.Read(ref _asleep);
        if (asleep > 0)
        {
            _wake.Release(asleep);
        }

        while (TakeItem(thread: 0))
        {
        }

        var spinner = 0;
        while (Volatile.Read(ref _done) < items)
        {
            if (++spinner > Spins)
            {
                Thread.Yield();
            }
            else
            {
                Thread.SpinWait(1);
            }
        }

        if (Interlocked.Exchange(ref _failure, null) is { } failure)
        {
            throw new InvalidOperationException($"Decoding failed: {failure.Message}", failure);
        }
    }

    public void Dispose()
    {
        _ended = true;
        _wake.Release(_helpers.Length + 1);
        foreach (Thread helper in _helpers)
        {
            helper.Join();
        }

        _wake.Dispose();
    }

    private void Help(int thread)
    {
        int idle = 0;
        while (!_ended)
        {
            if (TakeItem(thread))
            {
                idle = 0;
            }
            else if (++idle < Spins)
            {
                Thread.SpinWait(1);
            }
            else
            {
                Interlocked.Increment(ref _asleep);
                if (!HasItems() && !_ended)
                {
                    _wake.Wait();
                }

                Interlocked.Decrement(ref _asleep);
                idle = 0;
            }
        }
    }

    private bool HasItems()
    {
        for (int thread = 0; thread < Threads; thread++)
        {
            (int next, int end) = Unpacked(Interlocked.Read(ref Range(thread)));
            if (next < end)
            {
                return true;
            }
        }

        return false;
    }

    private bool TakeItem(int thread)
    {
        for (int other = 0; other < Threads; other++)
        {
            int owner = (thread + other) % Threads;
            while (true)
            {
                long range = Volatile.Read(ref Range(owner));
                (int next, int end) = Unpacked(range);
                if (next >= end)
                {
                    break;
                }

                (int item, long rest) = owner == thread ? (next, Packed(next + 1, end)) : (end - 1, Packed(next, end - 1));
                if (Interlocked.CompareExchange(ref Range(owner), rest, range) == range)
                {
                    Do(item, thread);
                    return true;
                }
            }
        }

        return false;
    }

    private void Do(int item, int thread)
    {
        try
        {
            // The round stays open until this item is done, so the work is this round's.
            _work(item, thread);
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
        }

        Interlocked.Increment(ref _done);
    }

    private ref long Range(int thread) => ref _ranges[(thread + 1) * Apart - 1];

    private static long Packed(int next, int end) => (long)next << 32 | (uint)end;

    private static (int Next, int End) Unpacked(long range) => ((int)(range >> 32), (int)range);
}
