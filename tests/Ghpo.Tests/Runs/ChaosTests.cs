using Ghpo.Bench.Chaos;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>
/// kill -9 of the real program, again and again, anywhere. Takes the better part of a minute, most of it for starting a .NET process with libtorch
/// two dozen times; what a kill after each single event does is tested without processes in <see cref="Learning.LearnerRunTests"/>.
/// </summary>
public sealed class ChaosTests : IDisposable
{
    private const int Steps = 6;
    private const int Groups = 4;
    private const int Kills = 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Killed_more_than_twenty_times_runs_lose_repeat_and_skip_nothing_and_end_with_the_same_bits()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Kills are SIGKILL.");
        string calm = Path.Combine(_folder.Path, "calm");
        ChaosResult whole = await Run(calm).CompleteAsync([], _ => { });
        Assert.InRange(RunComparison.DifferentPolicies(calm), Steps / 2, Steps);
        RequireWhole(calm);

        ITestOutputHelper? output = TestContext.Current.TestOutputHelper;
        using IEnumerator<KillAim> aims = Aims(whole).GetEnumerator();
        int kills = 0;
        while (kills < Kills)
        {
            string killed = Path.Combine(_folder.Path, $"killed-after-{kills}");
            ChaosResult result = await Run(killed).CompleteAsync(Take(aims, Kills - kills), session => output?.WriteLine(session.ToString()));
            kills += result.Killed.Length;
            RequireWhole(killed);
            Assert.Empty(RunComparison.Differences(calm, killed));
        }
    }

    private static void RequireWhole(string folder)
    {
        Assert.Empty(JournalCheck.Of(Events(folder, CurriculumActor.JournalId), Events(folder, LearnerActor.JournalId), staleness: 0));
        Assert.Empty(new JournalTables(Path.Combine(folder, "journal.db")).Faults(Steps, Groups));
    }

    /// <summary>
    /// Two of five uniform over a session's start and its first steps, the others aimed. The seed is fixed; what a kill hits still depends on the
    /// machine.
    /// </summary>
    private static IEnumerable<KillAim> Aims(ChaosResult calm)
    {
        var random = new Random(3);
        TimeSpan start = calm.LastRecovery;
        TimeSpan steps = (calm.LastSession - start) / 3;
        for (int kill = 0; ; kill++)
        {
            yield return (kill % 10) switch
            {
                1 => new KillAim.JournalWrite(random.Next(1, 20)),
                3 => new KillAim.CheckpointWrite(random.Next(1, 12)),
                4 => new KillAim.OptimizerStep(Groups, TimeSpan.FromMilliseconds(random.Next(0, 30))),
                6 => new KillAim.CheckpointRename(),
                7 => new KillAim.CheckpointDeletion(),
                9 => new KillAim.JournalWrite(random.Next(20, 100)),
                _ => new KillAim.Time((0.3 * start) + (random.NextDouble() * ((0.7 * start) + steps))),
            };
        }
    }

    private static IEnumerable<KillAim> Take(IEnumerator<KillAim> aims, int count)
    {
        for (int i = 0; i < count && aims.MoveNext(); i++)
        {
            yield return aims.Current;
        }
    }

    private static IEnumerable<object> Events(string folder, string actor) => new JournalReader(Path.Combine(folder, "journal.db")).Events(actor);

    private static ChaosRun Run(string folder) => new(
        folder,
        [
            "train", "--plain", "--run", Path.GetFileName(folder), "--steps", $"{Steps}", "--set", $"run.folder={Path.GetDirectoryName(folder)}",
            "--set", "data.arithmetic.problems=40", "--set", "data.arithmetic.operations=[4, 6, 7]", "--set", "data.arithmetic.held-out-problems=1",
            "--set", $"curriculum.groups-per-step={Groups}", "--set", "rollout.group-size=4", "--set", "rollout.slots=8",
            "--set", "rollout.max-new-tokens=40", "--set", "learning.threads=1", "--set", "learning.rate=1e-3", "--set", "learning.schedule=constant",
            "--set", "rewards.format-weight=0.5", "--set", "rewards.format=boxed", "--set", "evaluation.enabled=false", "--set", "checkpoints.every-steps=1", "--set", "checkpoints.keep=2",
        ],
        Steps,
        Groups);
}
