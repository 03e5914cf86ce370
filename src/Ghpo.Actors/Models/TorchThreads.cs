using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Threads inside torch calls.</summary>
public static partial class TorchThreads
{
    /// <summary>
    /// Sets how many threads torch may use for calls made on the calling thread. libtorch for Linux is built on libgomp, where this number belongs
    /// to the thread that sets it; a thread that never set one takes the number set last anywhere. So every owner thread sets its own, first.
    /// </summary>
    public static void UseOnThisThread(int count) => set_num_threads(count);

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
