using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Reporting;
using static Ghpo.Inspection.RunEvents;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// Memory over a long run of small steps through the actors, checkpoints included.
/// <code>
///   memory [--steps N] [--every N] [--config FILE] [--set path=value]...
/// </code>
/// Printed every so many steps: sequences sampled and trained on by then (those of 700 steps are more than 10,000), live managed heap after a full collection, resident set of the process, and live native tensors. The
/// run goes on meanwhile, so the tensors of what is being computed at that moment are among them.
/// </summary>
internal static class MemoryBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("memory", args, "--steps", "--every");
        int steps = arguments.Number("--steps", 700);
        int every = arguments.Number("--every", 70);
        GhpoSettings settings = arguments.Settings(
            ("run.steps", steps.ToString(CultureInfo.InvariantCulture)),
            ("curriculum.groups-per-step", "4"),
            ("rollout.group-size", "4"),
            ("rollout.max-new-tokens", "48"),
            ("prompt.max-tokens", "256"),
            ("checkpoints.every-steps", "50"),
            ("evaluation.enabled", "false"));
        Console.WriteLine("  step  sequences  managed MB  resident MB  tensors");
        using var watcher = new MemoryWatcher(every);
        await ActorRun.ExecuteAsync(settings, watcher);
        watcher.PrintGrowth();
        return 0;
    }

    private sealed record Reading(int Steps, long Sequences, double ManagedMegabytes, double ResidentMegabytes, long Tensors)
    {
        private const double Megabyte = 1 << 20;

        public static Reading Take(int steps, long sequences)
        {
            using var process = Process.GetCurrentProcess();
            return new Reading(steps, sequences, GC.GetTotalMemory(forceFullCollection: true) / Megabyte, process.WorkingSet64 / Megabyte, Tensor.TotalCount);
        }
    }

    private sealed class MemoryWatcher(int every) : IRunObserver
    {
        private readonly List<Reading> _readings = [];
        private long _sequences;

        public void Observe(object runEvent, RunProgress progress)
        {
            if (runEvent is not StepCompleted step)
            {
                return;
            }

            _sequences += step.Report.Samples;
            if (progress.StepsDone % every == 0)
            {
                var now = Reading.Take(progress.StepsDone, _sequences);
                _readings.Add(now);
                Print($"{now.Steps,6}  {now.Sequences,9}  {now.ManagedMegabytes,10:0.0}  {now.ResidentMegabytes,11:0.0}  {now.Tensors,7}");
            }
        }

        /// <summary>The first reading is left out where there are more: pools and caches fill up to their bounds first.</summary>
        public void PrintGrowth()
        {
            if (_readings.Count < 3)
            {
                return;
            }

            Reading first = _readings[1];
            Reading last = _readings[^1];
            Print($"from step {first.Steps} to {last.Steps} ({last.Sequences - first.Sequences} sequences): managed {last.ManagedMegabytes - first.ManagedMegabytes:+0.0;-0.0;0.0} MB, resident {last.ResidentMegabytes - first.ResidentMegabytes:+0.0;-0.0;0.0} MB, tensors {last.Tensors - first.Tensors:+0;-0;0}");
        }

        public void Dispose()
        {
        }

        private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
