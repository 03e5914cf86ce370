using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Hosting;
using Akka.Hosting;
using Ghpo.Journal;

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
        .AddHocon(AkkaConfiguration, HoconAddMode.Append)
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
            cluster.Join(cluster.SelfAddress);
        });

    /// <summary>The text of akka.conf: how every actor system of a run is set up.</summary>
    public static string AkkaConfiguration { get; } = Resource("akka.conf");

    private static string Resource(string name)
    {
        using Stream stream = typeof(GhpoNode).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
