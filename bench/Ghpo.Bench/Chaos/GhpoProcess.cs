using System.Diagnostics;
using System.Text;

namespace Ghpo.Bench.Chaos;

/// <summary>A <c>ghpo</c> in a process of its own, the one beside this program. What it prints is kept for the case that it fails.</summary>
internal sealed class GhpoProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _printed = new();

    private GhpoProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Task Ended => _process.WaitForExitAsync();

    public int Id => _process.Id;

    public int ExitCode => _process.ExitCode;

    public string Printed
    {
        get
        {
            lock (_printed)
            {
                return _printed.ToString();
            }
        }
    }

    public static GhpoProcess Start(params string[] arguments) => StartOn(null, arguments);

    /// <param name="core">The only core that it may run on (Linux, <c>taskset</c>); null: any.</param>
    public static GhpoProcess StartOn(int? core, params string[] arguments)
    {
        string[] program = ["dotnet", Path.Combine(AppContext.BaseDirectory, "ghpo.dll"), .. arguments];
        string[] line = core is null ? program : ["taskset", "-c", $"{core}", .. program];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new GhpoProcess(Process.Start(start)!);
    }

    /// <summary>kill -9, where the process has not ended by itself.</summary>
    public void Kill() => _process.Kill();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_printed)
        {
            _printed.AppendLine(line.Data);
        }
    }
}
