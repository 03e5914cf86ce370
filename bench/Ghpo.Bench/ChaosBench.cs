using System.Globalization;
using Ghpo.Bench.Chaos;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;

namespace Ghpo.Bench;

/// <summary>
/// kill -9 of <c>ghpo train</c>, again and again, and what it costs.
/// <code>
///   chaos [--kills N] [--seed N] [--set path=value]...     N sessions are killed at random or aimed instants
///   chaos --every SECONDS [--set path=value]...            every session is killed after so many seconds
/// </code>
/// A run that nobody kills comes first. Where the killed runs end with other bits, or journal or tables show anything lost, trained twice or skipped, the
/// benchmark fails. Printed: what each kill hit, the time of recovery (a session's start to its epoch in the journal: process start, model, recovery,
/// committed steps folded again), and
/// <code>
///   effective training time = seconds of the run that nobody killed / seconds of the killed run, all its sessions together
/// </code>
/// </summary>
internal static class ChaosBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("chaos", args, "--kills", "--every", "--seed");
        int every = arguments.Number("--every", int.MaxValue);
        bool periodic = every < int.MaxValue;
        GhpoSettings settings = arguments.Settings(("run.steps", periodic ? "80" : "20"), ("evaluation.enabled", periodic ? "true" : "false"));
        int kills = arguments.Number("--kills", periodic ? int.MaxValue : 20);
        string root = Directory.CreateTempSubdirectory("ghpo-chaos-").FullName;
        try
        {
            ChaosResult calm = await Run(root, "calm", settings).CompleteAsync([], _ => { });
            RequireWhole(Path.Combine(root, "calm"), Path.Combine(root, "calm"), settings);
            Print($"nobody kills: {calm.WallTime.TotalSeconds:0.0} s for {settings.Run.Steps} steps, {calm.LastRecovery.TotalSeconds:0.00} s of them until the first epoch");
            var random = new Random(arguments.Number("--seed", 1));
            var killed = new List<KilledSession>();
            TimeSpan wall = TimeSpan.Zero;
            int runs = 0;
            do
            {
                string name = $"killed-{++runs}";
                IEnumerable<KillAim> aims = periodic
                    ? Enumerable.Repeat(new KillAim.Time(TimeSpan.FromSeconds(every)), kills)
                    : Aims(random, calm, settings.Curriculum.GroupsPerStep, kills - killed.Count);
                ChaosResult result = await Run(root, name, settings).CompleteAsync(aims, Report);
                RequireWhole(Path.Combine(root, "calm"), Path.Combine(root, name), settings);
                killed.AddRange(result.Killed);
                wall += result.WallTime;
                Directory.Delete(Path.Combine(root, name), recursive: true);
            }
            while (!periodic && killed.Count < kills);

            Summarise(killed, calm, wall, runs);
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static IEnumerable<KillAim> Aims(Random random, ChaosResult calm, int groups, int count)
    {
        for (int kill = 0; kill < count; kill++)
        {
            yield return random.Next(10) switch
            {
                0 => new KillAim.JournalWrite(random.Next(1, 30)),
                1 => new KillAim.JournalWrite(random.Next(30, 300)),
                2 => new KillAim.CheckpointWrite(random.Next(1, 16)),
                3 => new KillAim.CheckpointRename(),
                4 => new KillAim.CheckpointDeletion(),
                5 => new KillAim.OptimizerStep(groups, TimeSpan.FromSeconds(random.NextDouble())),
                _ => new KillAim.Time(calm.LastSession * random.NextDouble()),
            };
        }
    }

    private static ChaosRun Run(string root, string name, GhpoSettings settings)
    {
        string file = Path.Combine(root, name + ".conf");
        File.WriteAllText(file, SettingsWriter.Write(settings with { Run = settings.Run with { Name = name, Folder = root } }));
        return new ChaosRun(Path.Combine(root, name), ["train", "--plain", "--config", file], settings.Run.Steps, settings.Curriculum.GroupsPerStep);
    }

    private static void RequireWhole(string calm, string folder, GhpoSettings settings)
    {
        var journal = new JournalReader(Path.Combine(folder, "journal.db"));
        string[] faults =
        [
            .. JournalCheck.Of(journal.Events(CurriculumActor.JournalId), journal.Events(LearnerActor.JournalId), settings.Rollout.Staleness),
            .. new JournalTables(Path.Combine(folder, "journal.db")).Faults(settings.Run.Steps, settings.Curriculum.GroupsPerStep),
            .. RunComparison.Differences(calm, folder),
        ];
        if (faults.Length > 0)
        {
            throw new UserErrorException(string.Join('\n', faults));
        }
    }

    private static void Report(KilledSession session) => Print(
        $"killed {session.Aim,-45}  lived {session.Lived.TotalSeconds,6:0.0} s  recovery {Seconds(session.Recovery),6} s  hit {session.Landing}");

    private static void Summarise(List<KilledSession> killed, ChaosResult calm, TimeSpan wall, int runs)
    {
        foreach (IGrouping<Landing, KilledSession> landing in killed.GroupBy(session => session.Landing).OrderBy(landing => landing.Key))
        {
            Print($"{landing.Count(),4} kills hit {landing.Key}");
        }

        double[] recoveries = [.. killed.Where(session => session.Recovery is not null).Select(session => session.Recovery!.Value.TotalSeconds).Order()];
        if (recoveries.Length > 0)
        {
            Print($"recovery: median {recoveries[recoveries.Length / 2]:0.00} s, {recoveries[0]:0.00} to {recoveries[^1]:0.00} s");
        }

        Print($"{killed.Count} kills in {runs} runs: 0 lost, 0 trained twice, 0 skipped; weights, optimizer state, curriculum, hints and metrics bit for bit those of the run that nobody killed");
        Print($"effective training time {100 * calm.WallTime.TotalSeconds * runs / wall.TotalSeconds:0.0} % ({calm.WallTime.TotalSeconds:0.0} s against {wall.TotalSeconds / runs:0.0} s a run, a kill every {wall.TotalSeconds / Math.Max(1, killed.Count):0} s)");
    }

    private static string Seconds(TimeSpan? time) => time is { } known ? known.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture) : "–";

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
