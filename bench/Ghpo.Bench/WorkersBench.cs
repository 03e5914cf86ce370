using System.Globalization;
using Ghpo.Configuration;

namespace Ghpo.Bench;

/// <summary>
/// Rollout tokens a second of two worker processes pinned to a core each, against one pinned to one core.
/// <code>ghpo-bench workers [--rounds N] [--set path=value]...</code>
/// Both are whole runs over Akka.Remote, the learner in a third process that is pinned nowhere; hints are off, so that a step's tokens are sampled in one go. Counted are the tokens of all
/// steps but the first four over the seconds from a step's opening, when its policy is published, to its last settled group. So fetching the policy, verification, journal and the
/// end of a step, when one worker is done before the other, are in it, and learning is not. In a round the one goes after the other; they sample the same groups.
/// </summary>
internal static class WorkersBench
{
    private const int WarmUp = 4;

    public static async Task<int> RunAsync(string[] args)
    {
        (int rounds, GhpoSettings settings) = PinnedRun.Settings(
            "workers", args, ("run.steps", "8"), ("hints.strategy", "\"none\""), ("curriculum.groups-per-step", "256"), ("dispatch.permits", "128"), ("rollout.slots", "64"));
        Console.WriteLine("round  one worker, tokens/s  two workers, tokens/s  ratio");
        var ratios = new Ratios();
        for (int round = 1; round <= rounds; round++)
        {
            double one = (await PinnedRun.ExecuteAsync(settings, WarmUp, learner: null, 0)).TokensPerSecond;
            double two = (await PinnedRun.ExecuteAsync(settings, WarmUp, learner: null, 0, 1)).TokensPerSecond;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{round,5}  {one,20:N0}  {two,21:N0}  {ratios.Add(two, one),5:F2}"));
        }

        Console.WriteLine($"median ratio: {ratios}");
        return 0;
    }
}
