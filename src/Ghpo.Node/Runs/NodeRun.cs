using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Akka.Hosting;
using Akka.Hosting.Logging;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Node.Commands;
using Ghpo.Node.Inspecting;
using Ghpo.Node.Observing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace Ghpo.Node.Runs;

/// <summary>
/// A node's life: one actor system after the other, each for one life of a learner, until a signal or <c>cluster leave</c> ends it (or, with <c>--once</c>, a learner that ends its
/// run). A node that was put out begins the next one. The policy plane outlives them, so that weights fetched before are not fetched again.
/// </summary>
internal static class NodeRun
{
    /// <summary>Groups in hand are returned, and the cluster is left, within these.</summary>
    private static readonly TimeSpan ReturnPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(6);

    private static Interruption? _interruption;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <returns>The process's exit code.</returns>
    public static async Task<int> ExecuteAsync(GhpoSettings settings, ImmutableArray<string> roles, bool once, TextWriter output)
    {
        // The first thing, and never taken back: a signal that comes while the node starts, or while its process ends, asks for the end like any other, and is no violent one.
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _interruption?.Dispose();
        _interruption = new Interruption(askToStop: _ => asked.TrySetResult(), exitNow: () => Interruption.ExitNow(ExitCodes.Interrupted));
        bool temporary = settings.Cluster.Folder.Length == 0;
        string folder = temporary ? Directory.CreateTempSubdirectory("ghpo-node-").FullName : Path.GetFullPath(settings.Cluster.Folder);
        string name = settings.Cluster.Name.Length > 0
            ? settings.Cluster.Name
            : string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}");
        var lines = new LogBuffer(LevelOf(settings.Logging.Level));
        await using Logger log = new LoggerConfiguration()
            .MinimumLevel.ControlledBy(lines.Level)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .Enrich.WithProperty("Node", name)
            .WriteTo.Logger(terminal => terminal.Filter.With(new RepeatedLines(TimeProvider.System)).WriteTo.Console(formatProvider: CultureInfo.InvariantCulture))
            .WriteTo.Sink(lines)
            .CreateLogger();
        try
        {
            using var planeLog = new SerilogLoggerFactory(log);
            using ClusterEnd end = ClusterEnd.Open(settings.Cluster, Path.Combine(folder, "plane"), kept: 2, planeLog);
            var node = new NodeContext(name, settings, end.Plane, folder, end.Certificates)
            {
                Roles = roles,
                Engine = roles.Contains(GhpoNode.RolloutRole) ? NodeContext.FingerprintOf(settings) : null,
            };
            await using Telemetry telemetry = await Telemetry.StartAsync(settings, "node", name);
            if (telemetry.Address is { } address)
            {
                output.WriteLine($"metrics at {address}metrics");
            }

            output.WriteLine($"{name} looks for a learner at {string.Join(", ", settings.Cluster.Join)}");
            while (!asked.Task.IsCompleted)
            {
                NodeEnd? how = await LifeOrErrorAsync(node, log, lines, telemetry, asked.Task);
                if (how == NodeEnd.AskedToLeave)
                {
                    log.Information("{Worker} was asked to leave its cluster, has left, and ends", name);
                    return ExitCodes.Success;
                }

                if (once && how == NodeEnd.LearnerLeft)
                {
                    log.Information("The learner of {Worker} has left, and the node ends with it (--once)", name);
                    return ExitCodes.Success;
                }

                if (!asked.Task.IsCompleted)
                {
                    log.Information("{Worker} is without a learner ({How}) and looks for a learner again", name, how);
                }

                await Task.WhenAny(asked.Task, Task.Delay(Pause));
            }

            return ExitCodes.Success;
        }
        finally
        {
            if (temporary)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>A life that fails is logged whole and followed by the next one: a node that nobody looks at must not be lost to the run by one error.</summary>
    private static async Task<NodeEnd?> LifeOrErrorAsync(NodeContext node, Logger log, LogBuffer lines, Telemetry telemetry, Task asked)
    {
        try
        {
            return await LifeAsync(node, log, lines, telemetry, asked);
        }
#pragma warning disable CA1031 // Whatever it was, it is in the log, and the next life may do without it.
        catch (Exception failure) when (failure is not UserErrorException)
#pragma warning restore CA1031
        {
            log.Error(failure, "The node's membership failed; it looks for a learner again");
            return NodeEnd.LearnerLost;
        }
        finally
        {
            telemetry.Use(() => Task.FromResult(Health.Searching));
        }
    }

    /// <returns>How it ended; null: by a signal.</returns>
    private static async Task<NodeEnd?> LifeAsync(NodeContext node, Logger log, LogBuffer lines, Telemetry telemetry, Task asked)
    {
        var ended = new TaskCompletionSource<NodeEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddSerilog(log);
        builder.Services.AddSingleton<IHostLifetime, SignalsAreHandledElsewhere>();
        builder.Services.AddAkka(GhpoNode.SystemName, (akka, services) =>
        {
            akka.Setups.Add(new LoggerFactorySetup(services.GetRequiredService<ILoggerFactory>()));
            akka.ConfigureLoggers(loggers =>
            {
                loggers.ClearLoggers();
                loggers.AddLogger<OrderedTemplateLogger>();
            });
            akka.WithGhpoNode(node, ended);
            if (node.Settings.Inspection.Enabled)
            {
                akka.WithInspection(node, lines);
            }

            akka.AddStartup((_, registry) => telemetry.Use(Health.OfNode(registry.Get<NodeActor>())));
        });
        using IHost host = builder.Build();
        await host.StartAsync();
        var system = (ExtendedActorSystem)host.Services.GetRequiredService<ActorSystem>();
        await Task.WhenAny(ended.Task, asked, system.WhenTerminated);
        bool leaves = asked.IsCompleted || ended.Task is { IsCompletedSuccessfully: true, Result: NodeEnd.AskedToLeave };
        if (leaves)
        {
            try
            {
                await GhpoNode.LeaveAsync(system, ReturnPatience);
            }
            catch (Exception failure) when (failure is AskTimeoutException or OperationCanceledException)
            {
                log.Warning("The session did not answer ({Reason}); its groups go to others when the node is gone", failure.Message);
            }

            using var patience = new CancellationTokenSource(LeavePatience);
            await Task.WhenAny(host.StopAsync(patience.Token), Task.Delay(LeavePatience));
        }

        if (!system.WhenTerminated.IsCompleted)
        {
            // Whom it would say good-bye to is gone.
            system.Abort();
            await system.WhenTerminated;
        }

        return asked.IsCompleted ? null : ended.Task.IsCompleted ? await ended.Task : NodeEnd.LearnerLost;
    }

    private static LogEventLevel LevelOf(LogVerbosity level) => level switch
    {
        LogVerbosity.Verbose => LogEventLevel.Verbose,
        LogVerbosity.Debug => LogEventLevel.Debug,
        LogVerbosity.Information => LogEventLevel.Information,
        LogVerbosity.Warning => LogEventLevel.Warning,
        _ => LogEventLevel.Error,
    };
}
