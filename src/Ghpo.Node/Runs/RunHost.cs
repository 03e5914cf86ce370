using Akka.Actor;
using Akka.Hosting;
using Akka.Hosting.Logging;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;
using Ghpo.Node.Observing;
using Ghpo.Node.Reporting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;

namespace Ghpo.Node.Runs;

/// <summary>The generic host of a run: logging, the actor system with the run's watcher and then its pipeline.</summary>
internal static class RunHost
{
    public static IHost Build(RunPipeline pipeline, Logger log, LogBuffer lines, Telemetry telemetry, IEnumerable<IRunObserver> observers, TaskCompletionSource<RunProgress> ended)
    {
        // No default sources: the settings of a run are in its run.conf, and nothing around it may change them.
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddSerilog(log);
        builder.Services.AddSingleton<IHostLifetime, SignalsAreHandledElsewhere>();
        builder.Services.AddAkka("ghpo", (akka, services) =>
        {
            akka.Setups.Add(new LoggerFactorySetup(services.GetRequiredService<ILoggerFactory>()));
            akka.ConfigureLoggers(loggers =>
            {
                loggers.ClearLoggers();
                loggers.AddLogger<OrderedTemplateLogger>();
            });
            akka.StartActors((system, _) => Watch(system, observers, ended));
            pipeline.AddTo(akka);
            if (pipeline.Run is { } run)
            {
                akka.WithRunWatch(run.Time);
                akka.AddStartup((system, registry) => Observe(system, registry, telemetry));
                if (run.Settings.Inspection.Enabled)
                {
                    akka.WithInspection(run, lines);
                }
            }
        });
        return builder.Build();
    }

    private static void Observe(ActorSystem system, IActorRegistry registry, Telemetry telemetry)
    {
        telemetry.Use(Health.OfRun(registry.Get<RunWatchActor>()));
        if (telemetry.Address is { } address)
        {
            system.EventStream.Publish(new RunEvents.MetricsServed(address));
        }
    }

    /// <summary>Subscribed here and not by the actor itself, which starts later: the run's first event must not be missed.</summary>
    private static void Watch(ActorSystem system, IEnumerable<IRunObserver> observers, TaskCompletionSource<RunProgress> ended)
    {
        IActorRef watcher = system.ActorOf(Props.Create(() => new RunWatcherActor(observers, ended)), "watcher");
        foreach (Type kind in RunWatcherActor.Events)
        {
            system.EventStream.Subscribe(watcher, kind);
        }
    }
}
