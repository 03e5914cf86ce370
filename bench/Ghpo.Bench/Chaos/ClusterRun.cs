using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ghpo.Bench.Chaos;

/// <summary>
/// A run of several processes: a learner without workers of its own, and workers, each of which can be killed, frozen and started again. On loopback, or each process on a
/// host of a network.
/// </summary>
/// <param name="folder">The run's folder; must not exist.</param>
/// <param name="settings">Arguments of <c>ghpo train</c>.</param>
/// <param name="network">Null: all on loopback.</param>
/// <param name="postgres">Connection string of the journal's database; null: SQLite.</param>
internal sealed class ClusterRun(string folder, IReadOnlyList<string> settings, HostNetwork? network = null, string? postgres = null) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly int _port = FreePort();
    private readonly Dictionary<string, GhpoProcess> _workers = [];
    private readonly List<string> _ended = [];
    private readonly List<string> _learnerAddresses = [network?.Own ?? "127.0.0.1"];
    private GhpoProcess? _learner;

    public JournalTables Tables { get; } = postgres is null ? new(Path.Combine(folder, "journal.db")) : new("", postgres);

    public GhpoProcess Learner => _learner ?? throw new InvalidOperationException("No learner was started.");

    /// <summary>Names of the workers that live.</summary>
    public IReadOnlyCollection<string> Workers => _workers.Keys;

    /// <summary>What every process printed, for the case that something fails.</summary>
    public string Printed => string.Join(
        "\n", [.. _ended, $"learner:\n{_learner?.Printed}", .. _workers.Select(worker => $"{worker.Key}:\n{worker.Value.Printed}")]);

    public GhpoProcess Worker(string name) => _workers[name];

    /// <summary>Addresses that the learner may come to have; workers started from now on look for it at all of them.</summary>
    public void LearnerMayComeTo(string address) => _learnerAddresses.Add(address);

    /// <summary>Begins the run, or goes on with it.</summary>
    /// <param name="host">Where, on a network; null: this machine.</param>
    /// <param name="core">The only core that it may run on; null: any.</param>
    public void StartLearner(int? host = null, int? core = null)
    {
        string[] prefix = host is { } number ? network!.Prefix(number) : GhpoProcess.On(core);
        string[] place = network is null ? [] :
            ["--set", $"cluster.host={(host is { } one ? network.AddressOf(one) : network.Own)}", "--set", "cluster.insecure=true"];
        _learner = File.Exists(Path.Combine(folder, "run.conf"))
            ? GhpoProcess.StartAt(prefix, ["resume", folder, "--plain", "--cluster", .. place])
            : GhpoProcess.StartAt(prefix, [.. settings, "--cluster", "--set", $"cluster.port={_port.ToString(CultureInfo.InvariantCulture)}", "--set", "rollout.workers=0", .. place]);
    }

    /// <param name="arguments">Settings of the node.</param>
    public void StartWorker(string name, params string[] arguments) => StartWorkerAt(null, name, arguments);

    /// <param name="host">Where, on a network.</param>
    public void StartWorkerAt(int? host, string name, params string[] arguments) =>
        StartWorker(host is { } number ? network!.Prefix(number) : [], host, name, arguments);

    /// <param name="core">The only core that it may run on; null: any.</param>
    public void StartWorkerOn(int? core, string name, params string[] arguments) => StartWorker(GhpoProcess.On(core), null, name, arguments);

    public async Task KillLearnerAsync()
    {
        Learner.Kill();
        await Learner.Ended;
        _ended.Add($"learner, killed:\n{Learner.Printed}");
        Learner.Dispose();
    }

    /// <summary>Lets the learner out of sight, as it is. The caller has it now.</summary>
    public GhpoProcess LeaveLearner()
    {
        GhpoProcess left = Learner;
        _learner = null;
        return left;
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
        await worker!.SignalAsync("TERM");
        await worker.Ended.WaitAsync(Patience);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        _ended.Add($"{name}, terminated:\n{worker.Printed}");
        int exitCode = worker.ExitCode;
        worker.Dispose();
        return (took, exitCode);
    }

    /// <summary>Stops a worker's process where it stands, or lets it go on.</summary>
    public Task FreezeAsync(string name, bool frozen) => _workers[name].SignalAsync(frozen ? "STOP" : "CONT");

    /// <summary>Waits until so many groups have settled in all.</summary>
    /// <exception cref="InvalidOperationException">The learner ended before.</exception>
    public async Task SettledAsync(int groups) => await UntilAsync(() => Tables.Rows("gs-v1") >= groups, () => $"{Tables.Rows("gs-v1")} groups have settled, and {groups} do not");

    /// <summary>Waits until something is so.</summary>
    /// <param name="what">What was waited for, for the case that it does not come.</param>
    /// <exception cref="InvalidOperationException">The learner ended before.</exception>
    public async Task UntilAsync(Func<bool> isSo, Func<string> what)
    {
        using var over = new CancellationTokenSource(Patience);
        while (!isSo())
        {
            if (Learner.Ended.IsCompleted)
            {
                throw new InvalidOperationException($"The learner ended: {what()}.\n{Printed}");
            }

            if (over.IsCancellationRequested)
            {
                throw new TimeoutException($"{what()}.\n{Printed}");
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }

    /// <summary>Waits for the learner's end, and for the end of the workers that follows from it.</summary>
    /// <exception cref="InvalidOperationException">A process ended with an error.</exception>
    public async Task CompleteAsync(int exitCode = 0)
    {
        await EndAsync("learner", Learner, exitCode);
        foreach ((string name, GhpoProcess worker) in _workers)
        {
            await EndAsync(name, worker, 0);
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

    private async Task EndAsync(string name, GhpoProcess process, int exitCode)
    {
        try
        {
            await process.Ended.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{name} does not end.\n{Printed}");
        }

        if (process.ExitCode != exitCode)
        {
            throw new InvalidOperationException($"{name} ended with exit code {process.ExitCode}.\n{Printed}");
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void StartWorker(string[] prefix, int? host, string name, string[] arguments)
    {
        string[] place = network is null ? [] :
            ["--set", $"cluster.host={(host is { } one ? network.AddressOf(one) : network.Own)}", "--set", "cluster.insecure=true"];
        string[] join = [.. _learnerAddresses.SelectMany(address => new[] { "--join", $"{address}:{_port.ToString(CultureInfo.InvariantCulture)}" })];
        _workers.Add(name, GhpoProcess.StartAt(prefix, ["node", .. join, "--once", "--set", $"cluster.name={name}", .. place, .. arguments]));
    }
}
