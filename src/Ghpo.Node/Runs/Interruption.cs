using System.Runtime.InteropServices;

namespace Ghpo.Node.Runs;

/// <summary>
/// Ctrl-C and SIGTERM. The first asks the run to stop after its step; the second ends the process at once: everything that counts is in the
/// journal by then, and neither actors nor hosts are waited for.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly Action<PosixSignal> _askToStop;
    private readonly Action _exitNow;
    private readonly PosixSignalRegistration[] _signals;
    private int _count;

    /// <param name="askToStop">Called once, on the first signal, with it.</param>
    /// <param name="exitNow">Called on the second.</param>
    public Interruption(Action<PosixSignal> askToStop, Action exitNow)
    {
        _askToStop = askToStop;
        _exitNow = exitNow;
        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    public bool Asked => Volatile.Read(ref _count) > 0;

    /// <summary>What one signal does.</summary>
    public void Signal(PosixSignal signal)
    {
        if (Interlocked.Increment(ref _count) == 1)
        {
            _askToStop(signal);
        }
        else
        {
            _exitNow();
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }
    }

    /// <summary>Ends the process with an exit code and without running anything more in it.</summary>
    public static void ExitNow(int code)
    {
        if (OperatingSystem.IsWindows())
        {
            Environment.Exit(code);
        }

        EndProcess(code);
    }

    [DllImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void EndProcess(int code);

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        Signal(context.Signal);
    }
}
