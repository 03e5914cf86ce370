using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Threads inside torch calls.</summary>
public static partial class TorchThreads
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

    /// <summary>
    /// Makes idle threads of a parallel region sleep instead of spin: spinning threads collapse when another process needs the core. OpenMP
    /// reads the environment once, when libtorch loads it, so this must come first in Main. A value that the user has set is kept.
    /// .NET keeps its own copy of the environment on Unix, so the C library is asked itself.
    /// </summary>
    public static void PreferPassiveWaiting()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        if (SetEnvironment("OMP_WAIT_POLICY", "passive", overwrite: 0) != 0)
        {
            throw new InvalidOperationException($"OMP_WAIT_POLICY could not be set: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
