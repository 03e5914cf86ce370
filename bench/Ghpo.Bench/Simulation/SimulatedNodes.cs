using System.Globalization;
using System.Net;
using Akka.Actor;
using Akka.Hosting;
using Akka.Hosting.Logging;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Node.Runs;
using Ghpo.Policy.Plane;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serilog;
using Serilog.Core;

namespace Ghpo.Bench.Simulation;

/// <summary>
/// The process of the simulated workers: members of the learner's cluster, each an actor system with a port of its own, with some workers on each. Every worker has its own node actor,
/// session, streams and thread; only its engine is a <see cref="SimulatedEngine"/>. All share one policy plane, as the members of one process do. It ends when its standard input does.
/// <para>
/// One process stands in for a thousand machines, so two things are not those of a run: workers come one after the other, and members of this process do not take each other for dead while
/// it is short of processor time. What the learner thinks of them, and they of it, is as ever. Warnings go to nodes.log in the folder.
/// </para>
/// </summary>
internal static class SimulatedNodes
{
    private static readonly TimeSpan BetweenWorkers = TimeSpan.FromMilliseconds(10);

    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("simulated-nodes", args, "--workers", "--nodes", "--tokens", "--median-ms", "--sigma-percent", "--folder");
        int workers = arguments.Number("--workers", 1);
        int nodes = Math.Min(workers, arguments.Number("--nodes", workers));
        GhpoSettings settings = arguments.Settings();
        var work = new SimulatedWork(arguments.Number("--median-ms", 1) / 1e3, arguments.Number("--sigma-percent", 1) / 1e2, arguments.Number("--tokens", 1));
        string folder = arguments.Text("--folder") ?? throw new UserErrorException("--folder is missing");
        await using Logger log = new LoggerConfiguration().MinimumLevel.Warning().WriteTo.File(Path.Combine(folder, "nodes.log"), formatProvider: CultureInfo.InvariantCulture).CreateLogger();
        await using PolicyPlane plane = await PolicyPlane.StartAsync(new PolicyPlaneOptions(
            Path.Combine(folder, "plane"), settings.Rollout.Staleness + 2, IPAddress.Loopback, "127.0.0.1", settings.Cluster.PolicyPlane, null, NullLoggerFactory.Instance));
        var hosts = new List<IHost>();
        for (int node = 0; node < nodes; node++)
        {
            NodeContext[] contexts =
            [
                .. Enumerable.Range(0, workers).Where(worker => worker % nodes == node).Select(worker => new NodeContext(
                    string.Create(CultureInfo.InvariantCulture, $"w{worker}"), settings, plane, folder, null)
                {
                    EngineFactory = setup => new SimulatedEngine(work, settings.Rollout.Slots, setup.StopTokens[0]),
                }),
            ];
            hosts.Add(await StartAsync(contexts, log));
        }

        Console.In.ReadToEnd();
        foreach (IHost host in hosts)
        {
            ((ExtendedActorSystem)host.Services.GetRequiredService<ActorSystem>()).Abort();
        }

        return 0;
    }

    /// <summary>A member with the first of its workers as <c>ghpo node</c> starts it, and the others beside it.</summary>
    private static async Task<IHost> StartAsync(NodeContext[] workers, Logger log)
    {
        var ended = new TaskCompletionSource<NodeEnd>();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddSerilog(log);
        builder.Services.AddSingleton<IHostLifetime, SignalsAreHandledElsewhere>();
        builder.Services.AddAkka(GhpoNode.SystemName, (akka, services) =>
        {
            akka.Setups.Add(new LoggerFactorySetup(services.GetRequiredService<ILoggerFactory>()));
            akka.ConfigureLoggers(loggers =>
            {
                loggers.LogLevel = Akka.Event.LogLevel.WarningLevel;
                loggers.ClearLoggers();
                loggers.AddLogger<OrderedTemplateLogger>();
            });
            akka.AddHocon("akka.cluster.failure-detector.acceptable-heartbeat-pause = 60 s", HoconAddMode.Prepend);
            akka.WithGhpoNode(workers[0], ended);
            akka.AddStartup(async (system, registry) =>
            {
                foreach (NodeContext worker in workers.Skip(1))
                {
                    await Task.Delay(BetweenWorkers);
                    system.ActorOf(Props.Create(() => new NodeActor(worker, registry.Get<RunActor>(), ended)), worker.Name);
                }
            });
        });
        IHost host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
