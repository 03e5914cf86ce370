using System.Diagnostics;
using System.Globalization;
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

    /// <returns>The prefix of a command that is to run on this core alone (Linux, <c>taskset</c>); null: on any.</returns>
    public static string[] On(int? core) => core is null ? [] : ["taskset", "-c", $"{core}"];

    public static GhpoProcess Start(params string[] arguments) => StartAt([], arguments);

    /// <param name="prefix">A command that becomes the one that follows it; empty: none.</param>
    public static GhpoProcess StartAt(string[] prefix, string[] arguments)
    {
        string[] command = [.. prefix, "dotnet", Path.Combine(AppContext.BaseDirectory, "ghpo.dll"), .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new GhpoProcess(Process.Start(start)!);
    }

    /// <param name="signal">As kill(1) names it.</param>
    public Task SignalAsync(string signal) => SignalAsync(Id, signal);

    /// <param name="process">Its id.</param>
    public static async Task SignalAsync(int process, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>How often a line that contains the text was printed.</summary>
    public int Said(string text) => Printed.Split('\n').Count(line => line.Contains(text, StringComparison.Ordinal));

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
