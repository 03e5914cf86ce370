using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Ghpo.Dispatch;
using Ghpo.Security;
using Xunit;

namespace Ghpo.Tests.Security;

/// <summary>An actor system on loopback whose actor <c>/user/ear</c> keeps what it hears, and whose warnings and errors are kept too.</summary>
internal sealed class RemoteSystem : IAsyncDisposable
{
    private static int _count;

    private RemoteSystem(ActorSystem system)
    {
        System = system;
        system.EventStream.Subscribe(system.ActorOf(Props.Create(() => new Keeper(Complaints, null)), "complaints"), typeof(LogEvent));
        Ear = system.ActorOf(Props.Create(() => new Keeper(Heard, "pong")), "ear");
    }

    public ActorSystem System { get; }

    public IActorRef Ear { get; }

    public ConcurrentQueue<string> Heard { get; } = [];

    public ConcurrentQueue<string> Complaints { get; } = [];

    /// <summary>As a node of a run is set up; with certificates, under TLS.</summary>
    public static RemoteSystem Node(ClusterCertificates? tls = null) => Start(
        ConfigurationFactory.ParseString(tls is null ? "" : RemoteTls.Hocon).WithFallback(GhpoNode.AkkaConfiguration), tls);

    /// <summary>As Akka comes: a stranger, who may send what it likes.</summary>
    public static RemoteSystem Stranger() => Start(
        """
        akka.actor.provider = remote
        akka.stdout-loglevel = OFF
        akka.remote.dot-netty.tcp.hostname = "127.0.0.1"
        akka.remote.dot-netty.tcp.port = 0
        """, null);

    /// <summary>The other system's ear, from here. Found by its path, not asked for.</summary>
    public ActorSelection EarOf(RemoteSystem other) => System.ActorSelection($"{PathOf(other)}/user/ear");

    private static string PathOf(RemoteSystem other) => ((ExtendedActorSystem)other.System).Provider.DefaultAddress.ToString();

    /// <summary>Waits until a complaint holds all these words; fails with what there was instead.</summary>
    public async Task ComplainsAsync(params string[] words)
    {
        for (int i = 0; i < 200; i++)
        {
            if (Complaints.Any(line => words.All(word => line.Contains(word, StringComparison.Ordinal))))
            {
                return;
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"No complaint holds {string.Join(" and ", words)}, only:\n{string.Join('\n', Complaints)}");
    }

    public async ValueTask DisposeAsync() => await System.Terminate();

    private static RemoteSystem Start(Config config, ClusterCertificates? tls)
    {
        string name = $"system-{Interlocked.Increment(ref _count)}";
        var setup = BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString("akka.loggers = []").WithFallback(config));
        return new RemoteSystem(ActorSystem.Create(name, tls is null ? ActorSystemSetup.Create(setup) : ActorSystemSetup.Create(setup, RemoteTls.Setup(tls))));
    }

    private sealed class Keeper : UntypedActor
    {
        private readonly ConcurrentQueue<string> _kept;
        private readonly string? _answer;

        public Keeper(ConcurrentQueue<string> kept, string? answer)
        {
            _kept = kept;
            _answer = answer;
        }

        protected override void OnReceive(object message)
        {
            if (message is not LogEvent log || log.LogLevel() >= LogLevel.WarningLevel)
            {
                _kept.Enqueue(message is LogEvent { Cause: { } cause } ? $"{message} {cause}" : message.ToString()!);
            }

            if (_answer is not null)
            {
                Sender.Tell(_answer);
            }
        }
    }
}
