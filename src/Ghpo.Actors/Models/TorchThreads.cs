using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Threads inside torch calls.</summary>
public static class TorchThreads
{
    /// <summary>
    /// Sets how many threads torch may use for calls made on the calling thread, and on no other. libtorch for Linux is built on libgomp, where
    /// this number belongs to a thread; but libtorch gives each thread, at its first torch call, the number set last anywhere. So every owner
    /// thread sets its own, and that first call has to come before: asking for the number is one.
    /// </summary>
    public static void UseOnThisThread(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        _ = get_num_threads();
        set_num_threads(count);
    }

    /// <summary>Calls <paramref name="work"/> on a thread of its own that torch may use so many threads for, and waits.</summary>
    public static T Run<T>(int count, Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                UseOnThisThread(count);
                result = work();
            }
            catch (Exception problem)
            {
                failure = ExceptionDispatchInfo.Capture(problem);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }
}
