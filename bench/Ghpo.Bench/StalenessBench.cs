using System.Globalization;
using Ghpo.Configuration;

namespace Ghpo.Bench;

/// <summary>
/// What sampling one step ahead saves: whole runs with staleness 1 against 0, the learner pinned to one core and a worker process to the other.
/// <code>ghpo-bench staleness [--rounds N] [--set path=value]...</code>
/// Wall-clock time from the start of the learner's process to its end, and, as starting and ending are the same in both, from the first step's commit to the last one's.
/// </summary>
internal static class StalenessBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("staleness", args, "--rounds");
        int rounds = arguments.Number("--rounds", 3);
        GhpoSettings settings = arguments.Settings(
            ("run.steps", "12"), ("evaluation.enabled", "false"), ("inspection.enabled", "false"), ("learning.threads", "1"), ("rollout.slots", "128"), ("checkpoints.every-steps", "100"));
        Console.WriteLine("round  whole run, s: 0      1  ratio  steps, s: 0      1  ratio");
        var whole = new List<double>();
        var steps = new List<double>();
        for (int round = 1; round <= rounds; round++)
        {
            PinnedRun none = await PinnedRun.ExecuteAsync(Staleness(settings, 0), learner: 1, 0);
            PinnedRun one = await PinnedRun.ExecuteAsync(Staleness(settings, 1), learner: 1, 0);
            whole.Add(one.Seconds / none.Seconds);
            steps.Add(one.StepSeconds / none.StepSeconds);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{round,5}  {none.Seconds,15:F1}  {one.Seconds,5:F1}  {whole[^1],5:F2}  {none.StepSeconds,11:F1}  {one.StepSeconds,5:F1}  {steps[^1],5:F2}"));
        }

        whole.Sort();
        steps.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"median ratio: whole runs {whole[rounds / 2]:F2} ({whole[0]:F2} to {whole[^1]:F2}), steps {steps[rounds / 2]:F2} ({steps[0]:F2} to {steps[^1]:F2})"));
        return 0;
    }

    private static GhpoSettings Staleness(GhpoSettings settings, int staleness) => settings with { Rollout = settings.Rollout with { Staleness = staleness } };
}
