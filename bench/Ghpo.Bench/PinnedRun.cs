using System.Diagnostics;
using System.Globalization;
using Ghpo.Bench.Chaos;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;

namespace Ghpo.Bench;

/// <summary>A whole run of processes that are pinned to cores: <c>ghpo train --cluster</c> without workers of its own, and <c>ghpo node</c>s, on loopback.</summary>
/// <param name="TokensPerSecond">Completion tokens over the seconds from a step's opening to its last settled group, over all steps that are counted. Learning is not in it.</param>
/// <param name="Seconds">From the start of the learner's process to its end.</param>
/// <param name="StepSeconds">From the commit before the first step that is counted to that of the last one.</param>
internal sealed record PinnedRun(double TokensPerSecond, double Seconds, double StepSeconds)
{
    /// <summary>What a benchmark of such runs is told by its arguments: <c>[--rounds N] [--set path=value]...</c></summary>
    /// <param name="defaults">Of the benchmark, over those of all: no evaluation, no inspection, no checkpoint but the last.</param>
    public static (int Rounds, GhpoSettings Settings) Settings(string name, string[] args, params (string Path, string Value)[] defaults)
    {
        var arguments = new Arguments(name, args, "--rounds");
        return (
            arguments.Number("--rounds", 3),
            arguments.Settings([("evaluation.enabled", "false"), ("inspection.enabled", "false"), ("checkpoints.every-steps", "100"), .. defaults]));
    }

    /// <param name="warmUp">Steps from the first on that are not counted: processes compile their code in them.</param>
    /// <param name="learner">The learner's core; null: any.</param>
    /// <param name="workers">A core for each worker.</param>
    public static async Task<PinnedRun> ExecuteAsync(GhpoSettings settings, int warmUp, int? learner, params int[] workers)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new UserErrorException("Processes are pinned with taskset, which is Linux's.");
        }

        string root = Directory.CreateTempSubdirectory("ghpo-pinned-").FullName;
        try
        {
            string file = Path.Combine(root, "run.conf");
            File.WriteAllText(file, SettingsWriter.Write(settings with { Run = settings.Run with { Name = "run", Folder = root } }));
            string folder = Path.Combine(root, "run");
            using var run = new ClusterRun(folder, ["train", "--plain", "--config", file]);
            long started = Stopwatch.GetTimestamp();
            run.StartLearner(core: learner);
            for (int i = 0; i < workers.Length; i++)
            {
                run.StartWorkerOn(
                    workers[i], $"w{i}", "--set", $"rollout.slots={settings.Rollout.Slots.ToString(CultureInfo.InvariantCulture)}", "--set", "rollout.threads=1");
            }

            await run.CompleteAsync();
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            StepReport[] steps = [.. MetricsFiles.ReadSteps(RunFolder.Open(folder)).Skip(warmUp)];
            return new PinnedRun(steps.Sum(step => step.RolloutTokens) / steps.Sum(step => step.RolloutSeconds), seconds, steps.Sum(step => step.StepSeconds));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
