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
        (int rounds, GhpoSettings settings) = PinnedRun.Settings("staleness", args, ("run.steps", "12"), ("learning.threads", "1"), ("rollout.slots", "128"));
        Console.WriteLine("round  whole run, s: 0      1  ratio  steps, s: 0      1  ratio");
        var whole = new Ratios();
        var steps = new Ratios();
        for (int round = 1; round <= rounds; round++)
        {
            PinnedRun none = await PinnedRun.ExecuteAsync(Staleness(settings, 0), warmUp: 1, learner: 1, 0);
            PinnedRun one = await PinnedRun.ExecuteAsync(Staleness(settings, 1), warmUp: 1, learner: 1, 0);
            double wholeRatio = whole.Add(one.Seconds, none.Seconds);
            double stepsRatio = steps.Add(one.StepSeconds, none.StepSeconds);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{round,5}  {none.Seconds,15:F1}  {one.Seconds,5:F1}  {wholeRatio,5:F2}  {none.StepSeconds,11:F1}  {one.StepSeconds,5:F1}  {stepsRatio,5:F2}"));
        }

        Console.WriteLine($"median ratio: whole runs {whole}, steps {steps}");
        return 0;
    }

    private static GhpoSettings Staleness(GhpoSettings settings, int staleness) => settings with { Rollout = settings.Rollout with { Staleness = staleness } };
}
