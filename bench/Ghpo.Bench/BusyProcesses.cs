using System.Diagnostics;
using Ghpo.Configuration;

namespace Ghpo.Bench;

/// <summary>
/// Other programs that keep a core busy each, until disposed. Processes and not threads: threads of this process would also hold up its garbage
/// collections, which wait for every thread. Each ends by itself once this process is gone.
/// </summary>
internal sealed class BusyProcesses : IDisposable
{
    private const string Spin = "while kill -0 $PPID 2>/dev/null; do i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; done";

    private readonly List<Process> _processes = [];

    /// <exception cref="UserErrorException">There is no shell to run.</exception>
    public BusyProcesses(int count)
    {
        if (count > 0 && OperatingSystem.IsWindows())
        {
            throw new UserErrorException("--busy needs a Unix shell.");
        }

        for (int i = 0; i < count; i++)
        {
            _processes.Add(Process.Start("/bin/sh", ["-c", Spin]));
        }
    }

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            process.Kill();
            process.Dispose();
        }
    }
}
