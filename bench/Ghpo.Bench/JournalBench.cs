using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Bench;

/// <summary>
/// What the journal costs, in time and in bytes, and how long it takes to come back from it.
/// <code>
///   journal [--steps N] [--tokens N] [--config FILE] [--set path=value]...
/// </code>
/// <list type="number">
/// <item>A step's events at the sizes of the settings (groups, answers, --tokens a completion): milliseconds a step of all three actors with nothing else to do,
/// so more than a run waits for, since it samples meanwhile; processor time a step; bytes a step and a rollout token.</item>
/// <item>A checkpoint of the model: milliseconds and bytes.</item>
/// <item>Recovery from journals of 100, 1,000 and --steps steps of 4 small groups, each killed 10 steps after a checkpoint.</item>
/// </list>
/// </summary>
internal static class JournalBench
{
    private const int MeasuredSteps = 200;

    /// <summary>Until then much of what is measured is compilation, which a run pays once.</summary>
    private const int WarmUp = 200;

    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("journal", args, "--steps", "--tokens");
        int steps = arguments.Number("--steps", 10_000);
        int tokens = arguments.Number("--tokens", 170);
        GhpoSettings settings = arguments.Settings(("run.steps", "1000000"), ("evaluation.enabled", "false"));
        string root = Directory.CreateTempSubdirectory("ghpo-journal-").FullName;
        try
        {
            double journalled = await StepAsync(Directory.CreateDirectory(Path.Combine(root, "step")).FullName, settings, tokens);
            Checkpoint(Path.Combine(root, "checkpoint"), settings, journalled);
            string growing = Directory.CreateDirectory(Path.Combine(root, "growing")).FullName;
            foreach (int length in new[] { 100, 1000, steps }.Where(length => length <= steps).Distinct())
            {
                await RecoveryAsync(growing, settings with { Curriculum = settings.Curriculum with { GroupsPerStep = 4 } }, length);
            }

            return 0;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <returns>Bytes of the database a step.</returns>
    private static async Task<double> StepAsync(string folder, GhpoSettings settings, int tokens)
    {
        await using JournalDriver driver = await JournalDriver.StartAsync(settings, folder);
        Sampler sampler = new(settings.Rollout.GroupSize, tokens);
        await driver.TakeStepsAsync(WarmUp, sampler.Sample);
        long bytes = Bytes(folder);
        TimeSpan worked = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        await driver.TakeStepsAsync(WarmUp + MeasuredSteps, sampler.Sample);
        double processor = (Environment.CpuUsage.TotalTime - worked).TotalMilliseconds / MeasuredSteps;
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds / MeasuredSteps;
        double a = (double)(Bytes(folder) - bytes) / MeasuredSteps;
        int groups = settings.Curriculum.GroupsPerStep;
        int answers = settings.Rollout.GroupSize;
        Print($"journal     {milliseconds:0.0} ms a step ({processor:0.0} ms of processor time, making the groups up included) of {groups} groups of {answers} answers of {tokens} tokens, {a / 1024:0} KB a step, {a / groups / answers / tokens:0.00} bytes a rollout token");
        return a;
    }

    private static void Checkpoint(string folder, GhpoSettings settings, double journalled)
    {
        using IPolicyTrainer trainer = RunContextFactory.CreateTrainer(settings, evaluation: () => null);
        trainer.SaveCheckpoint(folder);
        var times = new List<double>();
        for (int i = 0; i < 10; i++)
        {
            long start = Stopwatch.GetTimestamp();
            trainer.SaveCheckpoint(folder);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        long bytes = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        int every = settings.Checkpoints.EverySteps;
        Print($"checkpoint  {times[5]:0.0} ms ({times[0]:0.0} to {times[^1]:0.0}), {bytes / 1024.0:0} KB; every {every} steps: {(journalled + ((double)bytes / every)) / 1024:0} KB a step with the journal");
    }

    private static async Task RecoveryAsync(string folder, GhpoSettings settings, int steps)
    {
        // Killed half-way between two checkpoints.
        int end = steps - 10;
        long start = Stopwatch.GetTimestamp();
        await using (JournalDriver driver = await JournalDriver.StartAsync(settings, folder))
        {
            await driver.TakeStepsAsync(end, new Sampler(4, 40).Sample);
        }

        double written = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var times = new List<double>();
        for (int i = 0; i < 5; i++)
        {
            await using JournalDriver driver = await JournalDriver.StartAsync(settings, folder);
            times.Add(driver.Recovery.TotalMilliseconds);
        }

        times.Sort();
        Print($"recovery    {times[2]:0} ms ({times[0]:0} to {times[^1]:0}) from {end} steps, a journal of {Bytes(folder) / 1048576.0:0.0} MB that took {written:0} s more to write");
    }

    /// <summary>The journal's files, write-ahead log included.</summary>
    private static long Bytes(string folder) => Directory.GetFiles(folder, "journal.db*").Sum(file => new FileInfo(file).Length);

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    /// <summary>Makes groups of a size, with other tokens each time.</summary>
    private sealed class Sampler(int answers, int tokens)
    {
        private readonly SplitMix64 _random = new(1);

        public SettledGroup Sample(GroupId group, ProblemId problem, PolicyVersion version, long epoch) => new(
            group,
            problem,
            Settlement.Solved,
            Attempt: 0,
            HintRatio: 0,
            HintShortened: false,
            Tokens(100),
            [],
            [.. Enumerable.Range(0, answers).Select(answer => new TrainingSample(
                new Completion(Tokens(tokens), [.. Enumerable.Range(0, tokens).Select(_ => -(float)_random.Below(1000) / 300)], FinishReason.Stopped),
                answer % 2 == 0 ? Verdict.Correct : Verdict.Wrong,
                Format: false))],
            ExtraTokens: 0,
            epoch,
            version);

        private ImmutableArray<int> Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Below(300))];
    }
}
