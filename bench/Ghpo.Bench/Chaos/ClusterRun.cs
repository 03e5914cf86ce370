using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ghpo.Bench.Chaos;

/// <summary>A run of several processes on loopback: a learner without workers of its own, and workers, each of which can be killed, frozen and started again.</summary>
/// <param name="folder">The run's folder; must not exist.</param>
/// <param name="settings">Arguments of <c>ghpo train</c>.</param>
internal sealed class ClusterRun(string folder, IReadOnlyList<string> settings) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly int _port = FreePort();
    private readonly Dictionary<string, GhpoProcess> _workers = [];
    private readonly List<string> _ended = [];
    private GhpoProcess? _learner;

    public JournalTables Tables { get; } = new(Path.Combine(folder, "journal.db"));

    /// <summary>Names of the workers that live.</summary>
    public IReadOnlyCollection<string> Workers => _workers.Keys;

    /// <summary>What every process printed, for the case that something fails.</summary>
    public string Printed => string.Join(
        "\n", [.. _ended, $"learner:\n{_learner?.Printed}", .. _workers.Select(worker => $"{worker.Key}:\n{worker.Value.Printed}")]);

    /// <summary>Begins the run, or goes on with it.</summary>
    /// <param name="core">The only core that it may run on; null: any.</param>
    public void StartLearner(int? core = null) => _learner = File.Exists(Path.Combine(folder, "run.conf"))
        ? GhpoProcess.StartOn(core, "resume", folder, "--plain", "--cluster")
        : GhpoProcess.StartOn(core, [.. settings, "--cluster", "--set", $"cluster.port={_port.ToString(CultureInfo.InvariantCulture)}", "--set", "rollout.workers=0"]);

    /// <param name="arguments">Settings of the node.</param>
    public void StartWorker(string name, params string[] arguments) => StartWorkerOn(null, name, arguments);

    /// <param name="core">The only core that it may run on; null: any.</param>
    public void StartWorkerOn(int? core, string name, params string[] arguments) => _workers.Add(name, GhpoProcess.StartOn(core,
    [
        "node", "--join", $"127.0.0.1:{_port.ToString(CultureInfo.InvariantCulture)}", "--once", "--set", $"cluster.name={name}", .. arguments,
    ]));

    public async Task KillLearnerAsync()
    {
        _learner!.Kill();
        await _learner.Ended;
        _ended.Add($"learner, killed:\n{_learner.Printed}");
        _learner.Dispose();
    }

    public async Task KillWorkerAsync(string name)
    {
        _workers.Remove(name, out GhpoProcess? worker);
        worker!.Kill();
        await worker.Ended;
        _ended.Add($"{name}, killed:\n{worker.Printed}");
        worker.Dispose();
    }

    /// <summary>SIGTERM, and how long the worker takes to end.</summary>
    public async Task<(TimeSpan Took, int ExitCode)> TerminateWorkerAsync(string name)
    {
        _workers.Remove(name, out GhpoProcess? worker);
        long start = Stopwatch.GetTimestamp();
        await SignalAsync(worker!.Id, "TERM");
        await worker.Ended.WaitAsync(Patience);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        _ended.Add($"{name}, terminated:\n{worker.Printed}");
        int exitCode = worker.ExitCode;
        worker.Dispose();
        return (took, exitCode);
    }

    /// <summary>Stops a worker's process where it stands, or lets it go on.</summary>
    public Task FreezeAsync(string name, bool frozen) => SignalAsync(_workers[name].Id, frozen ? "STOP" : "CONT");

    /// <summary>Waits until so many groups have settled in all.</summary>
    /// <exception cref="InvalidOperationException">The learner ended before.</exception>
    public async Task SettledAsync(int groups)
    {
        using var over = new CancellationTokenSource(Patience);
        while (Tables.Rows("gs-v1") < groups)
        {
            if (_learner!.Ended.IsCompleted)
            {
                throw new InvalidOperationException($"The learner ended before {groups} groups had settled.\n{Printed}");
            }

            if (over.IsCancellationRequested)
            {
                throw new TimeoutException($"{Tables.Rows("gs-v1")} groups have settled, and {groups} do not.\n{Printed}");
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }

    /// <summary>Waits for the learner's end, and for the end of the workers that follows from it.</summary>
    /// <exception cref="InvalidOperationException">A process ended with an error.</exception>
    public async Task CompleteAsync()
    {
        await EndAsync("learner", _learner!);
        foreach ((string name, GhpoProcess worker) in _workers)
        {
            await EndAsync(name, worker);
        }
    }

    public void Dispose()
    {
        _learner?.Dispose();
        foreach (GhpoProcess worker in _workers.Values)
        {
            worker.Dispose();
        }
    }

    private async Task EndAsync(string name, GhpoProcess process)
    {
        try
        {
            await process.Ended.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{name} does not end.\n{Printed}");
        }

        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{name} ended with exit code {process.ExitCode}.\n{Printed}");
        }
    }

    private static async Task SignalAsync(int process, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
