using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Akka;
using Akka.Actor;
using Akka.Event;
using Akka.Hosting;
using Akka.IO;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Node.Runs;
using Ghpo.Security;
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

    /// <summary>Beside a run.</summary>
    public static AkkaConfigurationBuilder WithInspection(this AkkaConfigurationBuilder builder, RunContext run, LogBuffer lines) => builder.AddStartup(async (system, registry) =>
    {
        var inspected = new InspectedRun(system, await registry.GetAsync<RunActor>(), await registry.GetAsync<RunWatchActor>(), run);
        var inspector = new Inspector([.. inspected.Palettes(), new LogVerbs(lines).Palette, new JournalVerbs(run.Folder).Palette]);
        IPEndPoint? opened = await OpenAsync(
            system, inspector, BesidePetabridge(system, inspector, run.Settings.Inspection), run.Name, run.Folder, CertificatesOf(system, run.Settings.Cluster.Tls));
        run.Cluster?.Inspection = opened?.ToString() ?? "";
    });

    /// <summary>On a node without the learner.</summary>
    public static AkkaConfigurationBuilder WithInspection(this AkkaConfigurationBuilder builder, NodeContext node, LogBuffer lines) => builder.AddStartup(async (system, registry) =>
    {
        var palettes = new NodePalettes(system, await registry.GetAsync<NodeActor>(), node.Name);
        var inspector = new Inspector([.. palettes.All(), new LogVerbs(lines).Palette]);
        await OpenAsync(system, inspector, BesidePetabridge(system, inspector, node.Settings.Inspection), node.Name, node.Folder, CertificatesOf(system, node.Settings.Cluster.Tls));
    });

    /// <returns>What is left for this host.</returns>
    private static InspectionSettings BesidePetabridge(ActorSystem system, Inspector inspector, InspectionSettings settings)
    {
        OpenPetabridge(system, inspector, ref settings);
        return settings;
    }

    /// <summary>Does something only where the build has Petabridge.Cmd in it (<c>-p:UsePetabridgeCmd=true</c>).</summary>
    static partial void OpenPetabridge(ActorSystem system, Inspector inspector, ref InspectionSettings settings);

    /// <param name="name">Of the run or node.</param>
    /// <param name="folder">For inspection.json, which says where it listens; "": none.</param>
    /// <param name="certificates">For TLS; null: without.</param>
    /// <returns>Where it listens; null: nowhere, which the log explains.</returns>
    public static async Task<IPEndPoint?> OpenAsync(
        ActorSystem system, Inspector inspector, InspectionSettings settings, string name, string folder, ClusterCertificates? certificates = null)
    {
        ILoggingAdapter log = Logging.GetLogger(system, "inspection");
        var clients = new Clients(inspector, settings.Token, name, log);
        string? note = null;
        IPEndPoint? opened = await BindAsync(system, clients, settings.Host, settings.Port, certificates, log);
        if (opened is null && settings.Port != 0)
        {
            opened = await BindAsync(system, clients, settings.Host, 0, certificates, log);
            note = $"port {settings.Port} is taken, by another run perhaps";
        }

        if (opened is null)
        {
            log.Warning("Nobody can look into {Name}: no port of {Host} can be opened", name, settings.Host);
            return null;
        }

        log.Info("Look into {Name} with: ghpo pbm {Address} {Note}", name, opened, note ?? "");
        system.EventStream.Publish(new RunEvents.InspectionOpened(opened.ToString(), note));
        if (folder.Length > 0)
        {
            // Whole as soon as it is there.
            string file = Path.Combine(folder, "inspection.json");
            await File.WriteAllTextAsync(
                $"{file}.partial",
                JsonSerializer.Serialize(new { host = opened.Address.ToString(), port = opened.Port, pid = Environment.ProcessId, tls = certificates is not null }) + "\n");
            File.Move($"{file}.partial", file, overwrite: true);
        }

        return opened;
    }

    /// <exception cref="Configuration.UserErrorException">The files are none that can be used.</exception>
    private static ClusterCertificates? CertificatesOf(ActorSystem system, TlsSettings tls)
    {
        ClusterCertificates? loaded = ClusterCertificates.Load(tls, TimeProvider.System);
        system.WhenTerminated.ContinueWith(_ => loaded?.Dispose(), TaskScheduler.Default);
        return loaded;
    }

    private static Task<IPEndPoint?> BindAsync(ActorSystem system, Clients clients, string host, int port, ClusterCertificates? certificates, ILoggingAdapter log) => certificates is null
        ? BindPlainAsync(system, clients, host, port, log)
        : Task.FromResult(BindTls(system, clients, host, port, certificates, log));

    private static async Task<IPEndPoint?> BindPlainAsync(ActorSystem system, Clients clients, string host, int port, ILoggingAdapter log)
    {
        IMaterializer materializer = system.Materializer(namePrefix: "inspection");
        (Task<Tcp.ServerBinding> binding, Task _) = system.TcpStream().Bind(host, port)
            .ToMaterialized(
                Sink.ForEach<Tcp.IncomingConnection>(connection =>
                {
                    (Flow<ByteString, ByteString, NotUsed> conversation, IDisposable place) = clients.Begin(connection.RemoteAddress.ToString()!);
                    connection.Flow
                        .WatchTermination((_, ended) => ended)
                        .Join(conversation)
                        .Run(materializer)
                        .ContinueWith(_ => place.Dispose(), TaskScheduler.Default);
                }),
                Keep.Both)
            .Run(materializer);
        try
        {
            Tcp.ServerBinding opened = await binding;
            CloseWith(system, opened.Unbind);
            return (IPEndPoint)opened.LocalAddress;
        }
        catch (Exception failure)
        {
            log.Info("Port {Port} of {Host} cannot be opened: {Reason}", port, host, failure.GetBaseException().Message);
            return null;
        }
    }

    private static IPEndPoint? BindTls(ActorSystem system, Clients clients, string host, int port, ClusterCertificates certificates, ILoggingAdapter log)
    {
        try
        {
            TlsConnections opened = TlsConnections.Open(ClusterEnd.AddressOf("ghpo.inspection.host", host), port, certificates, log);
            CloseWith(system, () =>
            {
                opened.Dispose();
                return Task.CompletedTask;
            });
            system.WhenTerminated.ContinueWith(_ => opened.Dispose(), TaskScheduler.Default);
            _ = opened.ServeAsync(clients.Begin, system.Materializer(namePrefix: "inspection"));
            return opened.Address;
        }
        catch (SocketException failure)
        {
            log.Info("Port {Port} of {Host} cannot be opened: {Reason}", port, host, failure.Message);
            return null;
        }
    }

    private static void CloseWith(ActorSystem system, Func<Task> close) =>
        CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseServiceUnbind, "inspection", async () =>
        {
            await close();
            return Done.Instance;
        });

    /// <summary>Those who are connected: at most <see cref="MostClients"/>. Thread-safe.</summary>
    private sealed class Clients(Inspector inspector, string token, string name, ILoggingAdapter log)
    {
        private int _connected;

        /// <returns>The conversation, and the place that it takes until it is disposed.</returns>
        public (Flow<ByteString, ByteString, NotUsed> Conversation, IDisposable Place) Begin(string peer)
        {
            var place = new Place(this);
            if (Volatile.Read(ref _connected) > MostClients)
            {
                log.Warning("Client {Peer} is turned away: {Most} are connected", peer, MostClients);
                return (InspectionConversation.Refusal($"{MostClients} clients are connected; try again later"), place);
            }

            return (new InspectionConversation(inspector, token, name, peer, log).Flow(), place);
        }

        private sealed class Place : IDisposable
        {
            private readonly Clients _clients;

            public Place(Clients clients)
            {
                _clients = clients;
                Interlocked.Increment(ref clients._connected);
            }

            public void Dispose() => Interlocked.Decrement(ref _clients._connected);
        }
    }
}
