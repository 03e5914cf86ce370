using Akka;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Hosting;
using Akka.Configuration;
using Akka.Hosting;
using Akka.Streams;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Security;

namespace Ghpo.Dispatch;

/// <summary>Wires a process into a run.</summary>
public static class GhpoNode
{
    public const string LearnerRole = "learner";
    public const string RolloutRole = "rollout";
    public const string VerifierRole = "verifier";

    /// <summary>Name of the actor system; part of every node's address.</summary>
    public const string SystemName = "ghpo";

    /// <summary>
    /// All roles in one process: a cluster of one, on a loopback port of its own. The run starts as soon as the node is up;
    /// <see cref="RunActor"/> is in the registry.
    /// </summary>
    /// <param name="journalFile">The SQLite file, held by <see cref="SqlJournal.Hold"/>; unused with another provider.</param>
    public static AkkaConfigurationBuilder WithGhpoRun(this AkkaConfigurationBuilder builder, RunContext run, string journalFile) => builder
        .AddHocon(LearnerConfiguration, HoconAddMode.Prepend)
        .AddHocon(AkkaConfiguration, HoconAddMode.Append)
        .WithNodes(run.Settings.Cluster, run.Cluster is not null, run.Cluster?.Certificates)
        .WithSqlJournal(run.Settings.Journal, journalFile)
        .WithClustering(new ClusterOptions { Roles = [LearnerRole, RolloutRole, VerifierRole] })
        .WithSingleton<RunActor>(
            "run",
            (_, _, _) => Props.Create(() => new RunActor(run, RunTeam.Start)),
            new ClusterSingletonOptions { Role = LearnerRole })
        .AddStartup((system, _) =>
        {
            if (run.Started.Journal.KeepRollouts == KeepRollouts.LastCheckpoints)
            {
                system.ActorOf(RolloutRetentionActor.Props(run.Started, journalFile), "retention");
            }
        })
        .AddStartup((system, _) =>
        {
            Cluster cluster = Cluster.Get(system);
            system.ActorOf(Props.Create(() => new DoorActor()), DoorActor.NameOf(cluster.SelfUniqueAddress));
            CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "put-out-the-dead", () => PutOutTheDead(cluster));
            cluster.Join(cluster.SelfAddress);
        });

    /// <summary>Beside the run: who watches it, for whoever asks.</summary>
    public static AkkaConfigurationBuilder WithRunWatch(this AkkaConfigurationBuilder builder, TimeProvider time) => builder.AddStartup(async (system, registry) =>
        registry.Register<RunWatchActor>(system.ActorOf(RunWatchActor.Props(await registry.GetAsync<RunActor>(), time), "run-watch")));

    /// <summary>The run is over: whoever cannot be heard now need not be waited for, and as long as he is a member nobody can leave in good order.</summary>
    private static Task<Done> PutOutTheDead(Cluster cluster)
    {
        foreach (Member member in cluster.State.Unreachable)
        {
            cluster.Down(member.Address);
        }

        return Task.FromResult(Done.Instance);
    }

    /// <summary>The text of akka.conf: how every actor system of a run is set up.</summary>
    public static string AkkaConfiguration { get; } = Resource("akka.conf");

    /// <summary>What comes over it in the learner's process.</summary>
    internal static Config LearnerConfiguration { get; } = ConfigurationFactory.ParseString(AkkaConfiguration).GetConfig("ghpo-learner");

    /// <summary>What comes over it in every other process.</summary>
    internal static Config NodeConfiguration { get; } = ConfigurationFactory.ParseString(AkkaConfiguration).GetConfig("ghpo-node");

    /// <summary>
    /// A worker, a verifier, or both, for the runs of other processes: joins the first learner that answers, and goes on trying while none does.
    /// </summary>
    /// <param name="end">Completed when this actor system is of no more use: its learner is gone, and the next one has to be joined by another.</param>
    public static AkkaConfigurationBuilder WithGhpoNode(this AkkaConfigurationBuilder builder, NodeContext node, TaskCompletionSource<NodeEnd> end) => builder
        .AddHocon(NodeConfiguration, HoconAddMode.Prepend)
        .AddHocon(AkkaConfiguration, HoconAddMode.Append)
        .WithNodes(node.Settings.Cluster, open: true, node.Certificates)
        .WithClustering(new ClusterOptions
        {
            Roles = [.. node.Roles],
            SeedNodes = [.. node.Settings.Cluster.Join.Select(learner => $"akka.{(node.Certificates is null ? "tcp" : "ssl.tcp")}://{SystemName}@{learner}")],
        })
        .WithSingletonProxy<RunActor>("run", new ClusterSingletonOptions { Role = LearnerRole })
        .StartActors((system, registry) => registry.Register<NodeActor>(
            system.ActorOf(Props.Create(() => new NodeActor(node, registry.Get<RunActor>(), end)), "node")));

    /// <summary>Returns to the learner what the node has in hand.</summary>
    public static Task LeaveAsync(ActorSystem system, TimeSpan patience) =>
        ActorRegistry.For(system).Get<NodeActor>().Ask<SessionProtocol.SessionLeft>(new NodeActor.LeaveSession(), patience);

    /// <summary>What nodes say to each other, and where.</summary>
    /// <param name="open">Listen where the settings say; else on a loopback port of its own.</param>
    /// <param name="certificates">Null: without TLS.</param>
    private static AkkaConfigurationBuilder WithNodes(this AkkaConfigurationBuilder builder, Configuration.ClusterSettings cluster, bool open, ClusterCertificates? certificates)
    {
        string address = !open ? "" : $$"""
            akka.remote.dot-netty.tcp {
              bind-hostname = "{{cluster.Host}}"
              hostname = "{{cluster.ReachedAs}}"
              port = {{cluster.Port}}
            }
            """;
        if (certificates is not null)
        {
            builder.AddHocon(RemoteTls.Hocon, HoconAddMode.Prepend).AddSetup(RemoteTls.Setup(certificates));
        }

        return builder
            .AddHocon(address, HoconAddMode.Prepend)
            .AddHocon(ActorMaterializer.DefaultConfig(), HoconAddMode.Append)
            .WithCustomSerializer("ghpo-dispatch", DispatchSerializer.Types, system => new DispatchSerializer(system));
    }

    private static string Resource(string name)
    {
        using Stream stream = typeof(GhpoNode).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
