using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Xunit;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Runs;

/// <summary>Journals that keep the tokens of rollouts only as long as a checkpoint needs them.</summary>
public sealed class RolloutRetentionTests : IDisposable
{
    private static readonly string[] Pruned =
        ["run.steps=6", "checkpoints.every-steps=1", "checkpoints.keep=2", "journal.keep-rollouts=last-checkpoints"];

    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_run_that_prunes_as_it_goes_learns_the_same_and_keeps_every_fact(int staleness)
    {
        GhpoSettings settings = _tiny.Settings([.. Pruned, $"rollout.staleness={staleness}"]);
        string folder = _tiny.NewFolder();
        await CompletePruned(folder, settings);

        // Checkpoints are kept after steps 4 and 5; the first of them is folded on from step 5.
        Assert.All(TinyRun.Settled(folder), group => Assert.Equal(5, group.Group.Step));
        Assert.Equal(5, TinyRun.Settled(folder).Length);
        ImmutableArray<GroupPruned> pruned = [.. TinyRun.Journal(folder).Events(LearnerActor.JournalId).OfType<GroupPruned>()];
        Assert.Equal(25, pruned.Length);
        JournalAudit audit = Audit(folder, settings);
        Assert.Empty(audit.Findings);
        Assert.Equal((30, 25, 120), (audit.Counts.SettledGroups, audit.Counts.PrunedGroups, audit.Counts.Answers));
        StepLineage lineage = Lineage.OfStep(TinyRun.Journal(folder), 1);
        Assert.Equal(5, lineage.Groups.Length);
        Assert.All(lineage.Groups, group => Assert.False(group.TokensKept));
        Assert.Equal(6, TinyRun.Hashes(folder).Distinct().Count());
        if (staleness == 0)
        {
            string reference = _tiny.NewFolder();
            await RunSession.Complete(TinyRun.Create(reference, _tiny.Settings("run.steps=6")).Run);
            Assert.Equal(TinyRun.Hashes(reference), TinyRun.Hashes(folder));
            Assert.Equal(
                TinyRun.Settled(reference).Where(group => group.Group.Step < 5).Select(group => GroupFacts.Of(group).ToString()),
                pruned.Select(group => group.Facts).OrderBy(facts => facts.Group).Select(facts => facts.ToString()));
        }

        Assert.Equal((5, 1), Replayed(folder, settings, to: 5));
        string error = Assert.Throws<UserErrorException>(() => Replayed(folder, settings, to: 3)).Message;
        Assert.Contains("the tokens of steps 0 to 4 are not in this journal, and the oldest state that is left is after step 4: steps 4 to 5 can be reached", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pruned_run_goes_on_from_the_older_checkpoint_and_says_what_is_missing_when_both_are_damaged()
    {
        GhpoSettings settings = _tiny.Settings(Pruned);
        string folder = _tiny.NewFolder();
        await CompletePruned(folder, settings);
        string hash = TinyRun.Hashes(folder)[^1];

        File.Delete(Path.Combine(folder, "checkpoints/step-000006/model.safetensors"));
        RunEvents.RunEnded ended = await RunSession.Complete(TinyRun.Create(folder, settings).Run);
        Assert.Equal((RunOutcome.Completed, 6), (ended.Outcome, ended.Steps));
        Assert.Equal(hash, TinyRun.Hashes(folder)[^1]);

        Assert.All(Directory.GetDirectories(Path.Combine(folder, "checkpoints")), checkpoint => File.Delete(Path.Combine(checkpoint, "model.safetensors")));
        RunEvents.RunEnded failed = await RunSession.Complete(TinyRun.Create(folder, settings).Run);
        Assert.Equal(RunOutcome.Failed, failed.Outcome);
        Assert.StartsWith("step 0 cannot be folded again: no checkpoint that is whole covers it, and the journal does not hold its tokens any more", failed.Reason, StringComparison.Ordinal);
        Assert.Empty(TinyRun.Settled(folder).Where(group => group.Group.Step < 5));
    }

    [Fact]
    public async Task Nothing_is_pruned_before_as_many_checkpoints_stand_as_are_to_be_kept()
    {
        GhpoSettings settings = _tiny.Settings("run.steps=4", "checkpoints.every-steps=2");
        string folder = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(folder, settings).Run);

        Assert.Equal(0, Retention(folder, keep: 3).Prune());
        Assert.Equal(20, TinyRun.Settled(folder).Length);

        RolloutRetention two = Retention(folder, keep: 2);
        Assert.Equal((10, 0), (two.Prune(), two.Prune()));
        Assert.Equal(0, Retention(folder, keep: 2).Prune());
        Assert.All(TinyRun.Settled(folder), group => Assert.InRange(group.Group.Step, 2, 3));
    }

    /// <summary>Runs to the end, and waits for the retention to have caught up with it.</summary>
    private static async Task CompletePruned(string folder, GhpoSettings settings)
    {
        await using RunSession session = await RunSession.Start(TinyRun.Create(folder, settings).Run);
        await session.Ended;
        for (int wait = 0; wait < 500 && TinyRun.Settled(folder).Length > 5; wait++)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private RolloutRetention Retention(string folder, int keep) =>
        new(_tiny.Settings($"checkpoints.keep={keep}"), Path.Combine(folder, "journal.db"));

    private static JournalAudit Audit(string folder, GhpoSettings settings) =>
        JournalAudit.Of(TinyRun.Journal(folder), folder, settings);

    private static (int From, int Steps) Replayed(string folder, GhpoSettings settings, int to)
    {
        ReplayResult result = new JournalReplay(TinyRun.Journal(folder), folder, new ControlTimeline(settings, []))
            .Fold(() => RunContextFactory.CreateTrainer(settings, () => null), to, fromNewest: false, verify: true, _ => { }, _ => { });
        Assert.Empty(result.Faults);
        return (result.From, result.Steps.Length);
    }
}
