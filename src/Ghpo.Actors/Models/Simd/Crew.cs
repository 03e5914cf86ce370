namespace Ghpo.Models.Simd;

/// <summary>
/// The threads of one decoder. The caller of <see cref="Run"/> is one of them; the others wait for work.
/// <code>
/// ticket = (round, items left)     a thread takes an item by lowering the number, and only in the round it read
/// done   = items finished          the caller returns when it equals the items of the round
/// </code>
/// A thread that the system has taken off its core holds up at most the item it has in hand: the others take the rest. A helper spins for some
/// tens of microseconds, which is what passes between two products, and then sleeps until the next round.
/// </summary>
internal sealed class Crew : IDisposable
{
    /// <summary>Rounds of waiting before a helper sleeps, and before the caller gives way to whoever holds the last item.</summary>
    private const int Spins = 2000;

    private readonly Thread[] _helpers;
    private readonly SemaphoreSlim _wake = new(0);
    private Action<int, int> _work = (_, _) => { };
    private long _ticket;
    private int _done;
    private int _asleep;
    private volatile bool _ended;
    private Exception? _failure;

    /// <param name="threads">The caller included.</param>
    internal Crew(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        _helpers = new Thread[threads - 1];
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

        // A full fence: either a helper that is about to sleep sees this round, or this sees that it is asleep.
        Interlocked.Exchange(ref _ticket, ((_ticket >> 32) + 1) << 32 | (uint)items);
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
                if ((uint)Interlocked.Read(ref _ticket) == 0 && !_ended)
                {
                    _wake.Wait();
                }

                Interlocked.Decrement(ref _asleep);
                idle = 0;
            }
        }
    }

    private bool TakeItem(int thread)
    {
        while (true)
        {
            long ticket = Interlocked.Read(ref _ticket);
            uint left = (uint)ticket;
            if (left == 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _ticket, ticket - 1, ticket) == ticket)
            {
                try
                {
                    // The round stays open until this item is done, so the work is this round's.
                    _work((int)left - 1, thread);
                }
                catch (Exception failure)
                {
                    Interlocked.CompareExchange(ref _failure, failure, null);
                }

                Interlocked.Increment(ref _done);
                return true;
            }
        }
    }
}
