using System.Net;
using System.Text.Json;
using Akka;
using Akka.Actor;
using Akka.Event;
using Akka.Hosting;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Tcp = Akka.Streams.Dsl.Tcp;

namespace Ghpo.Node.Inspecting;

/// <summary>
/// Serves a node's <see cref="Inspector"/> over TCP, to a bounded number of clients, each by <see cref="InspectionConversation"/>.
/// <para>Lifecycle: opened when the actor system starts, closed with it. Failure: where no port can be opened the run goes on without, and says so; whatever a
/// client does ends its own connection at most.</para>
/// </summary>
internal static partial class InspectionHost
{
    /// <summary>Connections at a time.</summary>
    public const int MostClients = 32;

    public static AkkaConfigurationBuilder WithInspection(this AkkaConfigurationBuilder builder, RunContext run, LogBuffer lines) => builder.AddStartup(async (system, registry) =>
    {
        IActorRef proxy = await registry.GetAsync<RunActor>();
        IActorRef watcher = system.ActorOf(RunWatchActor.Props(proxy, run.Time), "run-watch");
        var node = new NodeVerbs(run, lines);
        var inspector = new Inspector([.. new InspectedRun(system, proxy, watcher, run).Palettes(), node.Log, node.Journal]);
        InspectionSettings settings = run.Settings.Inspection;
        OpenPetabridge(system, inspector, ref settings);
        await OpenAsync(system, inspector, settings, run.Name, run.Folder);
    });

    /// <summary>Does something only where the build has Petabridge.Cmd in it (<c>-p:UsePetabridgeCmd=true</c>).</summary>
    static partial void OpenPetabridge(ActorSystem system, Inspector inspector, ref InspectionSettings settings);

    /// <returns>Where it listens; null: nowhere, which the log explains.</returns>
    public static async Task<IPEndPoint?> OpenAsync(ActorSystem system, Inspector inspector, InspectionSettings settings, string name, string folder)
    {
        ILoggingAdapter log = Logging.GetLogger(system, "inspection");
        string? note = null;
        IPEndPoint? opened = await BindAsync(system, inspector, settings, settings.Port, name, log);
        if (opened is null && settings.Port != 0)
        {
            opened = await BindAsync(system, inspector, settings, 0, name, log);
            note = $"port {settings.Port} is taken, by another run perhaps";
        }

        if (opened is null)
        {
            log.Warning("Nobody can look into this run: no port of {Host} can be opened", settings.Host);
            return null;
        }

        log.Info("Inspection at {Address} {Note}", opened, note ?? "");
        system.EventStream.Publish(new RunEvents.InspectionOpened(opened.ToString(), note));
        if (folder.Length > 0)
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder, "inspection.json"),
                JsonSerializer.Serialize(new { host = opened.Address.ToString(), port = opened.Port, pid = Environment.ProcessId }) + "\n");
        }

        return opened;
    }

    private static async Task<IPEndPoint?> BindAsync(ActorSystem system, Inspector inspector, InspectionSettings settings, int port, string name, ILoggingAdapter log)
    {
        IMaterializer materializer = system.Materializer(namePrefix: "inspection");
        int clients = 0;
        (Task<Tcp.ServerBinding> binding, Task _) = system.TcpStream().Bind(settings.Host, port)
            .ToMaterialized(
                Sink.ForEach<Tcp.IncomingConnection>(connection =>
                {
                    string peer = connection.RemoteAddress.ToString()!;
                    if (Interlocked.Increment(ref clients) > MostClients)
                    {
                        Interlocked.Decrement(ref clients);
                        log.Warning("Client {Peer} is turned away: {Most} are connected", peer, MostClients);
                        connection.HandleWith(InspectionConversation.Refusal($"{MostClients} clients are connected; try again later"), materializer);
                        return;
                    }

                    var conversation = new InspectionConversation(inspector, settings.Token, name, peer, log);
                    connection.Flow
                        .WatchTermination((_, ended) => ended)
                        .Join(conversation.Flow())
                        .Run(materializer)
                        .ContinueWith(_ => Interlocked.Decrement(ref clients), TaskScheduler.Default);
                }),
                Keep.Both)
            .Run(materializer);
        try
        {
            Tcp.ServerBinding opened = await binding;
            CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseServiceUnbind, "inspection", async () =>
            {
                await opened.Unbind();
                return Done.Instance;
            });
            return (IPEndPoint)opened.LocalAddress;
        }
        catch (Exception failure)
        {
            log.Info("Port {Port} of {Host} cannot be opened: {Reason}", port, settings.Host, failure.GetBaseException().Message);
            return null;
        }
    }
}
