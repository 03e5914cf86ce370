using System.Diagnostics;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Ghpo.Dispatch;
using Ghpo.Security;

namespace Ghpo.Bench;

/// <summary>Two actor systems of this process, as nodes of a run are set up, with an association between them; every 20 ms a small message goes there and back.</summary>
internal sealed class HeartbeatProbe : IAsyncDisposable
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(20);
    private readonly ActorSystem _near;
    private readonly ActorSystem _far;
    private readonly ActorSelection _echo;

    private HeartbeatProbe(ActorSystem near, ActorSystem far)
    {
        (_near, _far) = (near, far);
        far.ActorOf(Props.Create(() => new Echo()), "echo");
        _echo = near.ActorSelection($"{((ExtendedActorSystem)far).Provider.DefaultAddress}/user/echo");
    }

    public static async Task<HeartbeatProbe> StartAsync(ClusterCertificates? tls)
    {
        Config config = ConfigurationFactory.ParseString($"akka.loggers = []\n{(tls is null ? "" : RemoteTls.Hocon)}").WithFallback(GhpoNode.AkkaConfiguration);
        BootstrapSetup setup = BootstrapSetup.Create().WithConfig(config);
        ActorSystem Start(string name) => ActorSystem.Create(name, tls is null ? ActorSystemSetup.Create(setup) : ActorSystemSetup.Create(setup, RemoteTls.Setup(tls)));

        var probe = new HeartbeatProbe(Start("near"), Start("far"));
        await probe._echo.Ask<int>(0, TimeSpan.FromSeconds(20));
        return probe;
    }

    /// <summary>Round trips in seconds while the work goes on, at least one.</summary>
    public async Task<IReadOnlyList<double>> WhileAsync(Func<Task> work)
    {
        var trips = new List<double>();
        Task done = Task.Run(work);
        do
        {
            long started = Stopwatch.GetTimestamp();
            await _echo.Ask<int>(trips.Count, TimeSpan.FromSeconds(60));
            trips.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            await Task.Delay(_interval);
        }
        while (!done.IsCompleted);
        await done;
        return trips;
    }

    public async ValueTask DisposeAsync()
    {
        await _near.Terminate();
        await _far.Terminate();
    }

    private sealed class Echo : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(message);
    }
}
