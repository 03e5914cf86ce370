using System.Globalization;
using Ghpo.Bench.Chaos;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;

namespace Ghpo.Bench;

/// <summary>
/// A learner and two workers in processes of their own on loopback, killed with SIGKILL at random again and again.
/// <code>
///   cluster-chaos [--worker-kills N] [--learner-kills N] [--seed N] [--set path=value]...
/// </code>
/// The kills are spread over the run's groups. A killed worker is replaced at once by a new one; a killed learner is resumed. The same settings are run by one process first; where
/// the cluster ends with other bits, or journal or tables show anything lost, trained twice or skipped, the benchmark fails. Printed: what was killed when, and for each worker
/// that was killed and each that came, how long it took until the next group settled.
/// </summary>
internal static class ClusterChaosBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("cluster-chaos", args, "--worker-kills", "--learner-kills", "--seed");
        GhpoSettings settings = arguments.Settings(
            ("run.steps", "30"), ("evaluation.enabled", "false"), ("curriculum.groups-per-step", "6"), ("rollout.group-size", "4"), ("rollout.slots", "8"),
            ("rollout.max-new-tokens", "60"), ("learning.threads", "1"), ("data.arithmetic.operations", "[4, 6, 7]"));
        int workerKills = arguments.Number("--worker-kills", 20);
        int learnerKills = arguments.Number("--learner-kills", 5);
        var random = new Random(arguments.Number("--seed", 1));
        string root = Directory.CreateTempSubdirectory("ghpo-cluster-").FullName;
        try
        {
            string calm = Path.Combine(root, "calm");
            using (GhpoProcess alone = GhpoProcess.Start(Train(root, "calm", settings)))
            {
                await alone.Ended;
                if (alone.ExitCode != 0)
                {
                    throw new UserErrorException(alone.Printed);
                }
            }

            string folder = Path.Combine(root, "killed");
            using var run = new ClusterRun(folder, Train(root, "killed", settings));
            string[] node = ["--set", $"rollout.slots={settings.Rollout.Slots.ToString(CultureInfo.InvariantCulture)}"];
            run.StartLearner();
            int started = 0;
            run.StartWorker($"w{++started}", node);
            run.StartWorker($"w{++started}", node);
            int groups = settings.Run.Steps * settings.Curriculum.GroupsPerStep;
            bool[] kills = [.. Enumerable.Repeat(false, workerKills), .. Enumerable.Repeat(true, learnerKills)];
            random.Shuffle(kills);
            var gaps = new List<double>();
            for (int kill = 0; kill < kills.Length; kill++)
            {
                await run.SettledAsync(Math.Max(1, (groups - 6) * (kill + 1) / (kills.Length + 1)));
                await Task.Delay(random.Next(0, 300));
                int settled = run.Tables.Rows("gs-v1");
                long killedAt = TimeProvider.System.GetTimestamp();
                string victim = "learner";
                if (kills[kill])
                {
                    await run.KillLearnerAsync();
                    run.StartLearner();
                }
                else
                {
                    victim = run.Workers.ElementAt(random.Next(run.Workers.Count));
                    await run.KillWorkerAsync(victim);
                    run.StartWorker($"w{++started}", node);
                }

                if (settled + 1 <= groups)
                {
                    await run.SettledAsync(settled + 1);
                }

                gaps.Add(TimeProvider.System.GetElapsedTime(killedAt).TotalSeconds);
                Print($"killed {victim,-8} at {settled,4} groups; the next one settled {gaps[^1]:0.0} s later");
            }

            await run.CompleteAsync();
            var journal = new JournalReader(Path.Combine(folder, "journal.db"));
            string[] faults =
            [
                .. JournalCheck.Of(journal.Events(CurriculumActor.JournalId), journal.Events(LearnerActor.JournalId), settings.Rollout.Staleness),
                .. run.Tables.Faults(settings.Run.Steps, settings.Curriculum.GroupsPerStep),
                .. RunComparison.Differences(calm, folder),
            ];
            if (faults.Length > 0)
            {
                throw new UserErrorException(string.Join('\n', faults));
            }

            gaps.Sort();
            Print($"{workerKills} worker kills, {learnerKills} learner kills: 0 lost, 0 trained twice, 0 skipped; bit for bit the run of one process");
            Print($"from a kill to the next settled group: median {gaps[gaps.Count / 2]:0.0} s, {gaps[0]:0.0} to {gaps[^1]:0.0} s");
            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static string[] Train(string root, string name, GhpoSettings settings)
    {
        string file = Path.Combine(root, name + ".conf");
        File.WriteAllText(file, SettingsWriter.Write(settings with { Run = settings.Run with { Name = name, Folder = root } }));
        return ["train", "--plain", "--config", file];
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
