using System.Globalization;
using Ghpo.Bench.Chaos;
using Ghpo.Configuration;
using Npgsql;

namespace Ghpo.Bench;

/// <summary>
/// What can go wrong between the processes of a cluster, one scenario after the other, each on a run of its own: a learner on this machine and two workers, each in a network
/// namespace with an address of its own.
/// <code>
///   cluster-faults [--only NAME,NAME] [--steps N]
/// </code>
/// A line a scenario, with what was measured. It fails where a run does not go on, or where what it made differs in a bit from a run of one process, or where journal or tables
/// show anything lost, trained twice or skipped. Takes root, iproute2 and, for some scenarios, PostgreSQL; a scenario that cannot be played says so.
/// </summary>
internal static partial class ClusterFaultsBench
{
    private const int Groups = 6;

    private static readonly (string Name, Needs Needs, Func<FaultStage, Task<string>> Play)[] _scenarios =
    [
        ("killed", Needs.Nothing, KilledAsync),
        ("left", Needs.Nothing, LeftAsync),
        ("frozen", Needs.Nothing, FrozenAsync),
        ("corrupt-chunk", Needs.Nothing, CorruptChunkAsync),
        ("partition-healed", Needs.Network, PartitionHealedAsync),
        ("partition", Needs.Network, PartitionAsync),
        ("one-link", Needs.Network, OneLinkAsync),
        ("workers-apart", Needs.Network, WorkersApartAsync),
        ("slow-link", Needs.Network, SlowLinkAsync),
        ("database-gone", Needs.Database, DatabaseGoneAsync),
        ("learner-moves", Needs.Network | Needs.Database, LearnerMovesAsync),
    ];

    private static PostgresServer? _server;

    [Flags]
    private enum Needs
    {
        Nothing = 0,
        Network = 1,
        Database = 2,
    }

    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("cluster-faults", args, "--only", "--steps");
        string[] only = arguments.Text("--only")?.Split(',') ?? [.. _scenarios.Select(scenario => scenario.Name)];
        if (only.FirstOrDefault(name => _scenarios.All(scenario => scenario.Name != name)) is { } unknown)
        {
            throw new UserErrorException($"--only {unknown}: there are {string.Join(", ", _scenarios.Select(scenario => scenario.Name))}");
        }

        int steps = arguments.Number("--steps", 60);
        string root = Directory.CreateTempSubdirectory("ghpo-faults-").FullName;
        (HostNetwork? network, string noNetwork) = HostNetwork.TryMake();
        string noServer = "";
        try
        {
            if (_scenarios.Any(scenario => only.Contains(scenario.Name) && scenario.Needs.HasFlag(Needs.Database)))
            {
                (_server, noServer) = PostgresServer.TryStart(network?.Own ?? "127.0.0.1", network?.Subnet ?? "127.0.0.1/32", ClusterRun.FreePort());
            }

            string calm = Path.Combine(root, "calm");
            using (GhpoProcess alone = GhpoProcess.Start(FaultStage.Train(calm, steps, Groups, null)))
            {
                await alone.Ended;
                if (alone.ExitCode != 0)
                {
                    throw new UserErrorException(alone.Printed);
                }
            }

            int failed = 0;
            foreach ((string name, Needs needs, Func<FaultStage, Task<string>> play) in _scenarios.Where(scenario => only.Contains(scenario.Name)))
            {
                string? cannot = needs.HasFlag(Needs.Network) && network is null ? noNetwork : needs.HasFlag(Needs.Database) && _server is null ? noServer : null;
                string? database = cannot is null && needs.HasFlag(Needs.Database) ? NewDatabase(name) : null;
                string folder = Path.Combine(root, name);
                using var stage = new FaultStage(folder, FaultStage.Train(folder, steps, Groups, database), Groups, needs.HasFlag(Needs.Network) ? network : null, database);
                try
                {
                    string outcome = cannot is null ? $"{await play(stage)}; {await stage.EndAsync(calm)} steps, bit for bit" : $"not played: {cannot}";
                    Console.WriteLine($"{name,-17} {outcome}");
                }
                catch (Exception failure) when (failure is InvalidOperationException or TimeoutException)
                {
                    failed++;
                    Console.WriteLine($"{name,-17} FAILED: {failure.Message}");
                }
            }

            return failed == 0 ? 0 : 1;
        }
        finally
        {
            network?.Dispose();
            _server?.Dispose();
            Directory.Delete(root, recursive: true);
        }
    }

    private static string NewDatabase(string name)
    {
        string database = name.Replace('-', '_');
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_server!.ConnectionString) { Pooling = false }.ToString());
        connection.Open();
        using var create = new NpgsqlCommand($"CREATE DATABASE {database}", connection);
        create.ExecuteNonQuery();
        return new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Database = database }.ToString();
    }

    private static string Seconds(TimeSpan time) => $"{time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s";
}
