using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Inspection;

namespace Ghpo.Bench;

/// <summary>
/// What actors, streams, journal, log and metrics cost: seconds a step of a run as <c>ghpo train</c> runs it, against those of
/// <see cref="PlainLoop"/>, which does the same model work in a for-loop. Alternately, in one process: plain, actors, plain, actors, ...
/// <code>
///   overhead [--steps N] [--rounds N] [--config FILE] [--set path=value]...
/// </code>
/// Step k samples and trains the same tokens in every round of both, so steps are compared with their like:
/// <code>
///   t_k = median over rounds of the seconds of step k      overhead = Σ_k t_k(actors) / Σ_k t_k(plain) − 1
/// </code>
/// The first <see cref="WarmUp"/> steps of each round (code being compiled, caches being filled) are left out. Evaluations and checkpoints are
/// off, except the checkpoint at the end, which no step's time includes. Processor time is that of a whole run, its start and end included: on a busy
/// machine it says more than the clock. Fails if any round ends with other weights.
/// </summary>
internal static class OverheadBench
{
    private const int WarmUp = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("overhead", args, "--steps", "--rounds");
        int rounds = arguments.Number("--rounds", 3);
        int steps = WarmUp + arguments.Number("--steps", 20);
        string count = steps.ToString(CultureInfo.InvariantCulture);
        GhpoSettings settings = arguments.Settings(("run.steps", count), ("checkpoints.every-steps", "1000000"), ("evaluation.enabled", "false"));
        var plain = new List<MeasuredRun>();
        var actors = new List<MeasuredRun>();
        for (int round = 1; round <= rounds; round++)
        {
            await AddAsync(plain, "plain loop", round, () => Task.FromResult(PlainLoop.Execute(settings, save: null, TextWriter.Null)));
            await AddAsync(actors, "actors", round, () => ActorRun.ExecuteAsync(settings, watcher: null));
        }

        string[] hashes = [.. plain.Concat(actors).Select(run => run.PolicyHash).Distinct()];
        if (hashes.Length > 1)
        {
            throw new UserErrorException($"The runs ended with different weights, so their times cannot be compared: {string.Join(", ", hashes)}");
        }

        Console.WriteLine($"policy {hashes[0]} after {steps} steps in all {2 * rounds} runs");
        double plainSeconds = Summarise("plain loop", plain);
        double actorSeconds = Summarise("actors", actors);
        Print($"overhead {(actorSeconds / plainSeconds - 1) * 100:+0.0;-0.0} % ({actorSeconds:0.000} s against {plainSeconds:0.000} s for {steps - WarmUp} steps)");
        return 0;
    }

    private static async Task AddAsync(List<MeasuredRun> runs, string name, int round, Func<Task<MeasuredRun>> execute)
    {
        TimeSpan before = ProcessorTime();
        MeasuredRun run = await execute();
        TimeSpan processor = ProcessorTime() - before;
        runs.Add(run);
        Print($"round {round}  {name,-10}  {run.Steps.Skip(WarmUp).Sum(step => step.StepSeconds):0.000} s for {run.Steps.Count - WarmUp} steps; {processor.TotalSeconds:0.00} s of processor time for the whole run");
    }

    private static TimeSpan ProcessorTime()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }

    /// <returns>Σ_k t_k</returns>
    private static double Summarise(string name, List<MeasuredRun> runs)
    {
        double Total(Func<StepReport, double> seconds) =>
            Enumerable.Range(WarmUp, runs[0].Steps.Count - WarmUp).Sum(step => Median(runs.Select(run => seconds(run.Steps[step]))));

        double[] all = [.. runs.SelectMany(run => run.Steps.Skip(WarmUp)).Select(step => step.StepSeconds)];
        int count = runs[0].Steps.Count - WarmUp;
        double rollout = Total(step => step.RolloutSeconds) / count;
        double learner = Total(step => step.Learning.Seconds) / count;
        double rest = Total(step => step.StepSeconds - step.RolloutSeconds - step.Learning.Seconds) / count;
        Print($"{name,-10}  step median {Median(all):0.0000} s ({all.Min():0.0000} to {all.Max():0.0000}); mean: rollout {rollout:0.0000}, learner {learner:0.0000}, rest {rest:0.0000}");
        return Total(step => step.StepSeconds);
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
