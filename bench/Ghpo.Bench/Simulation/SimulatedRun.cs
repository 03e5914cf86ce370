using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Akka.Actor;
using Akka.Hosting;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Observing;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ghpo.Bench.Simulation;

/// <summary>
/// The learner's process of a simulated run: host, cluster, actors, SQLite journal, log and metrics as <c>ghpo train --cluster</c> makes them; only the trainer takes no time. Prints one
/// line of <see cref="SimulateBench"/>'s table.
/// </summary>
internal static class SimulatedRun
{
    private const long Seed = 1;

    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("simulated-run", args, "--workers", "--nodes", "--tokens", "--median-ms", "--sigma-percent", "--folder", "--steps", "--groups", "--staleness");
        int workers = arguments.Number("--workers", 1);
        int steps = arguments.Number("--steps", 1);
        var work = new SimulatedWork(arguments.Number("--median-ms", 1) / 1e3, arguments.Number("--sigma-percent", 1) / 1e2, arguments.Number("--tokens", 1));
        new Thread(EndWithParent) { IsBackground = true }.Start();
        string root = arguments.Text("--folder") ?? throw new UserErrorException("--folder is missing");
        GhpoSettings settings = Settings(arguments, root, workers);
        RunFolder folder = RunFolder.Create(settings, DateTimeOffset.UnixEpoch);
        RunContext run = RunContextFactory.Create(folder.Name, folder.Root, settings, TimeProvider.System) with { CreateTrainer = () => new SimulatedTrainer() };
        var commits = new Commits();
        Window window;
        using (IDisposable hold = SqlJournal.Hold(settings.Journal, folder.Journal))
        using (ClusterEnd end = ClusterEnd.Open(settings.Cluster, folder.Plane, kept: settings.Rollout.Staleness + 2, NullLoggerFactory.Instance))
        {
            run = run with { Cluster = new ClusterSide(run.Setup, end.Plane, end.Certificates, Engine: null) };
            var pipeline = new RunPipeline(akka => akka.WithGhpoRun(run, folder.Journal), _ => { }) { Run = run };
            using var view = new PlainView(Console.Error);
            await using Telemetry telemetry = await Telemetry.StartAsync(settings, "run", folder.Name);
            await using RunLog log = RunLog.Open(folder, settings.Logging.Level, view);
            using var files = new MetricsFiles(folder, TimeProvider.System, () => false);
            using var tensorBoard = new TensorBoardLog(folder.Metrics, settings.Hints);
            var ended = new TaskCompletionSource<RunProgress>(TaskCreationOptions.RunContinuationsAsynchronously);
            using IHost host = RunHost.Build(pipeline, log.Logger, log.Lines, telemetry, [view, files, tensorBoard, commits], ended);
            await host.StartAsync();
            using Process nodes = StartNodes(args, settings.Cluster.Port);
            try
            {
                window = await MeasureAsync(host, commits, nodes, workers, steps, settings.Rollout.Staleness);
            }
            finally
            {
                nodes.Kill();
            }

            // As a kill: the journal must be whole all the same.
            var system = (ExtendedActorSystem)host.Services.GetRequiredService<ActorSystem>();
            system.Abort();
            await system.WhenTerminated;
        }

        Report(window, new JournalReader(folder.Journal), settings, work, workers);
        return 0;
    }

    /// <summary>Waits until every worker serves and the steps are committed that were open then, and measures from there on.</summary>
    private static async Task<Window> MeasureAsync(IHost host, Commits commits, Process nodes, int workers, int steps, int staleness)
    {
        IActorRef run = (await host.Services.GetRequiredService<ActorRegistry>().GetAsync<RunActor>());
        long began = Stopwatch.GetTimestamp();
        while ((await WorkersAsync(run)).Workers.Count(worker => worker.State == WorkerState.Serving) < workers)
        {
            if (nodes.HasExited || Stopwatch.GetElapsedTime(began) > TimeSpan.FromMinutes(2))
            {
                throw new UserErrorException($"After {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s only {(await WorkersAsync(run)).Workers.Count(worker => worker.State == WorkerState.Serving)} of {workers} workers serve.");
            }

            await Task.Delay(500);
        }

        double joined = Stopwatch.GetElapsedTime(began).TotalSeconds;
        using var self = Process.GetCurrentProcess();

        // What is open was sampled by the few that were there.
        int first = commits.Last + staleness + 2;
        await commits.When(first);
        TimeSpan cpu = self.TotalProcessorTime;
        TimeSpan cpuOfNodes = nodes.TotalProcessorTime;
        await commits.When(first + steps);
        self.Refresh();
        nodes.Refresh();
        return new Window(
            first,
            first + steps,
            Stopwatch.GetElapsedTime(commits.At(first), commits.At(first + steps)).TotalSeconds,
            joined,
            (self.TotalProcessorTime - cpu).TotalSeconds,
            (nodes.TotalProcessorTime - cpuOfNodes).TotalSeconds,
            self.PeakWorkingSet64,
            nodes.PeakWorkingSet64,
            await WorkersAsync(run));
    }

    private static void EndWithParent()
    {
        Console.In.ReadToEnd();
        Interruption.ExitNow(1);
    }

    private static Task<WorkerProtocol.WorkersView> WorkersAsync(IActorRef run) =>
        run.Ask<WorkerProtocol.WorkersView>(new WorkerProtocol.GetWorkers(), TimeSpan.FromSeconds(60));

    private static void Report(Window window, JournalReader journal, GhpoSettings settings, SimulatedWork work, int workers)
    {
        SettledGroup[] settled = [.. journal.Events(LearnerActor.JournalId).OfType<LearnerProtocol.GroupSettled>().Select(one => one.Group)];
        string[] faults = [.. JournalCheck.Of(journal.Events(CurriculumActor.JournalId), journal.Events(LearnerActor.JournalId), settings.Rollout.Staleness)];
        if (faults.Length > 0)
        {
            throw new UserErrorException(string.Join('\n', faults));
        }

        ImmutableArray<ImmutableArray<double>>[] steps =
        [
            .. settled.Where(group => group.Group.Step <= window.Last).GroupBy(group => group.Group.Step).OrderBy(step => step.Key).Select(step => step
                .OrderBy(group => group.Group)
                .Select(group => Enumerable.Range(0, group.Attempt + 1).Select(attempt => work.SecondsOf(Seed, group.Group, attempt)).ToImmutableArray())
                .ToImmutableArray()),
        ];
        ImmutableArray<double> ideal = IdealSchedule.Commits(steps, workers, settings.Rollout.Staleness);
        double least = ideal[window.Last] - ideal[window.First];
        ImmutableArray<ImmutableArray<double>>[] measured = steps[(window.First + 1)..(window.Last + 1)];
        double worked = measured.Sum(step => step.Sum(group => group.Sum()));
        int groups = measured.Sum(step => step.Length);
        int attempts = measured.Sum(step => step.Sum(group => group.Length));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{workers,7}  {groups / window.Seconds,8:F1}  {attempts / window.Seconds,8:F1}  {worked / window.Seconds / workers,6:P1}  {worked / least / workers,6:P1}  {least / window.Seconds,8:P1}  {window.View.LeaseWaits.Median.TotalMilliseconds,8:F2}  {window.View.LeaseWaits.P99.TotalMilliseconds,8:F2}  {window.Processor / window.Seconds,9:F2}  {window.Peak / 1e6,9:F0}  {window.NodesProcessor / window.Seconds,9:F2}  {window.NodesPeak / 1e6,9:F0}  {window.Joined,6:F1}  {window.Seconds,7:F1}"));
    }

    private static GhpoSettings Settings(Arguments arguments, string root, int workers)
    {
        int groups = arguments.Number("--groups", 1);
        int tokens = arguments.Number("--tokens", 1);
        int staleness = int.Parse(arguments.Text("--staleness") ?? "0", CultureInfo.InvariantCulture);
        string problems = Path.Combine(root, "problems.jsonl");
        string text = string.Concat(Enumerable.Repeat("A problem as long as those of a data set. ", 6));
        File.WriteAllLines(problems, Enumerable.Range(0, 5000).Select(index => JsonSerializer.Serialize(new { problem = $"{index}: {text}", solution = text, answer = $"{index % 10}" })));
        string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        return arguments.Settings(
            ("run.name", "simulated"), ("run.folder", JsonSerializer.Serialize(root)), ("run.seed", Text((int)Seed)), ("run.steps", "100000"), ("run.deterministic", "false"),
            ("data.source", JsonSerializer.Serialize(problems)), ("evaluation.enabled", "false"), ("inspection.port", "0"),
            ("curriculum.groups-per-step", Text(groups)), ("dispatch.permits", Text(groups * (staleness + 1))),
            ("rollout.group-size", "8"), ("rollout.max-new-tokens", Text(2 * tokens)), ("rollout.workers", "0"), ("rollout.staleness", Text(staleness)),
            ("cluster.enabled", "true"), ("cluster.port", Text(FreePort())));
    }

    private static Process StartNodes(string[] args, int port)
    {
        // The first pairs are this process's own, but for those that the other one has no use for.
        string[] passed = [.. args.Chunk(2).Where(pair => pair[0] is not ("--steps" or "--groups" or "--staleness")).SelectMany(pair => pair)];
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(SimulatedRun).Assembly.Location, "simulated-nodes", .. passed, "--set", $"cluster.join=[\"127.0.0.1:{port}\"]", "--set", "rollout.slots=8"])
        {
            RedirectStandardInput = true,
        };
        return Process.Start(start)!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <param name="First">The window begins with its commit.</param>
    /// <param name="Last">And ends with that of this step.</param>
    /// <param name="Joined">Seconds from the start of the workers' process until all served.</param>
    /// <param name="Processor">Seconds of processor time within the window.</param>
    private sealed record Window(
        int First, int Last, double Seconds, double Joined, double Processor, double NodesProcessor, long Peak, long NodesPeak, WorkerProtocol.WorkersView View);

    /// <summary>When each step was committed. Thread-safe.</summary>
    private sealed class Commits : IRunObserver
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<int, long> _at = [];
        private readonly Dictionary<int, TaskCompletionSource> _awaited = [];

        public int Last { get; private set; } = -1;

        public long At(int step)
        {
            lock (_lock)
            {
                return _at[step];
            }
        }

        public Task When(int step)
        {
            lock (_lock)
            {
                if (_at.ContainsKey(step))
                {
                    return Task.CompletedTask;
                }

                var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _awaited.Add(step, source);
                return source.Task;
            }
        }

        public void Observe(object runEvent, RunProgress progress)
        {
            if (runEvent is RunEvents.StepCompleted completed)
            {
                lock (_lock)
                {
                    Last = completed.Report.Step;
                    _at.Add(Last, Stopwatch.GetTimestamp());
                    if (_awaited.Remove(Last, out TaskCompletionSource? source))
                    {
                        source.SetResult();
                    }
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
