using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Journaling;
using Xunit;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Runs;

/// <summary>New runs from steps of others.</summary>
public sealed class RunForkTests : IDisposable
{
    private readonly TinyRun _tiny = new();
    private readonly List<int> _folded = [];

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    public async Task A_fork_without_changes_ends_bitwise_where_its_parent_ends(int atStep, int stepsFolded)
    {
        GhpoSettings settings = _tiny.Settings("run.steps=5", "hints.strategy=memory", "checkpoints.keep=10");
        string parent = await Complete(settings);

        string child = await Fork(parent, atStep);

        Assert.Equal(stepsFolded, _folded.Count);
        RunEvents.RunEnded ended = await Resume(child);
        Assert.Equal((RunOutcome.Completed, 5), (ended.Outcome, ended.Steps));
        Assert.Equal(TinyRun.Hashes(parent), TinyRun.Hashes(child));
        Assert.Equal(TinyRun.Hints(parent), TinyRun.Hints(child));
        Assert.Equal(5, TinyRun.Hashes(child).Distinct().Count());
        Assert.Equal(Digest(parent, 5), Digest(child, 5));
        RequireSame(RunHistory.At(TinyRun.Journal(parent), 0, null), RunHistory.At(TinyRun.Journal(child), 0, null));
        RequireSame(RunHistory.At(TinyRun.Journal(parent), 0, atStep), RunHistory.At(TinyRun.Journal(child), 0, atStep));
        Assert.Empty(Audit(child, settings).Findings);
    }

    [Fact]
    public async Task A_fork_with_other_settings_shares_what_came_before_and_nothing_else()
    {
        string parent = await Complete(_tiny.Settings("run.steps=4"));

        string child = await Fork(parent, 1, "learning.rate=2e-2", "hints.strategy=none");
        await Resume(child);

        Assert.Equal(TinyRun.Hashes(parent)[..2], TinyRun.Hashes(child)[..2]);
        Assert.NotEqual(TinyRun.Hashes(parent)[2], TinyRun.Hashes(child)[2]);
        Assert.All(TinyRun.Hints(child), hint => Assert.InRange(hint.Group.Step, 0, 1));
        var forked = Assert.Single(TinyRun.Journal(child).Events(LearnerActor.JournalId).OfType<RunForked>());
        Assert.Equal((Path.GetFileName(parent), parent, 1), (forked.Parent, forked.ParentFolder, forked.Step));
        Assert.Equal(["hints.strategy=\"none\"", "learning.rate=0.02"], forked.Changes);

        // Its own steps fold with its own settings; those of its parent are its parent's.
        GhpoSettings settings = RunJournal.Open(child).Settings;
        Assert.Empty(Audit(child, settings).Findings);
        Assert.Equal((2, 2), Replayed(child, settings, to: 3));
        Assert.Contains(
            $"step 0 was made by {Path.GetFileName(parent)}", Assert.Throws<UserErrorException>(() => Replayed(child, settings, to: 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fork_of_a_fork_names_both_and_what_it_began_with_outlives_every_checkpoint()
    {
        string parent = await Complete(_tiny.Settings("run.steps=6"));
        string child = await Fork(parent, 0, "checkpoints.every-steps=1", "checkpoints.keep=1");
        await Resume(child);
        string grandchild = await Fork(child, 3, "checkpoints.every-steps=1", "checkpoints.keep=1");
        await Resume(grandchild);

        Assert.Equal(TinyRun.Hashes(parent), TinyRun.Hashes(grandchild));
        Assert.Equal([0, 3], TinyRun.Journal(grandchild).Events(LearnerActor.JournalId).OfType<RunForked>().Select(forked => forked.Step));
        Assert.DoesNotContain("step-000003", Directory.GetDirectories(Path.Combine(child, "checkpoints")).Select(Path.GetFileName));
        Assert.Equal((1, 5), Replayed(child, RunJournal.Open(child).Settings, to: 5));
        Assert.Equal((4, 2), Replayed(grandchild, RunJournal.Open(grandchild).Settings, to: 5));

        // With the newest checkpoint damaged, the run is folded again from what it began with.
        File.Delete(Path.Combine(child, "checkpoints", "step-000006", "config.json"));
        RunEvents.RunEnded again = await Resume(child);
        Assert.Equal((RunOutcome.Completed, 6), (again.Outcome, again.Steps));
        Assert.Equal(TinyRun.Hashes(parent), TinyRun.Hashes(child));
    }

    [Fact]
    public async Task A_live_run_with_staleness_can_be_forked_and_does_not_notice()
    {
        GhpoSettings settings = _tiny.Settings("run.steps=8", "rollout.staleness=1");
        string parent = NewFolder(settings);
        (RunContext run, Tutor tutor) = TinyRun.Create(parent, settings);
        using var paused = new ManualResetEventSlim();
        tutor.BeforeSubmit = (group, _) =>
        {
            if (group.Step >= 4)
            {
                paused.Wait(TimeSpan.FromSeconds(60));
            }
        };
        string child;
        await using (RunSession session = await RunSession.Start(run))
        {
            while (!File.Exists(Path.Combine(parent, "journal.db")) || TinyRun.Commits(parent).Length < 3)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }

            child = await Fork(parent, 1);
            paused.Set();
            await session.Ended;
        }

        TinyRun.RequireSound(parent, steps: 8, staleness: 1);
        Assert.Equal(2, TinyRun.Hashes(child).Length);
        RunEvents.RunEnded ended = await Resume(child);
        Assert.Equal((RunOutcome.Completed, 8), (ended.Outcome, ended.Steps));
        Assert.Equal(TinyRun.Hashes(parent)[..2], TinyRun.Hashes(child)[..2]);
        Assert.Empty(Audit(child, settings).Findings);
        Assert.Equal((2, 6), Replayed(child, settings, to: 7));
    }

    [Fact]
    public async Task A_fork_has_the_controls_that_are_in_force_where_it_begins()
    {
        string parent = await Complete(_tiny.Settings("run.steps=2"));
        ImmutableArray<ControlRequest> requests =
        [
            new("ghpo.run.steps", "4", "me", DateTimeOffset.UnixEpoch), new("ghpo.learning.iterations", "2", "me", DateTimeOffset.UnixEpoch),
        ];
        RunContext run = RunContextFactory.Create("tiny", parent, RunJournal.Open(parent).Timeline, requests, TimeProvider.System);
        var tutor = new Tutor(run.Tokenizer, run.Settings.Run.Seed);
        await RunSession.Complete(run with { CreateEngine = () => new TutoredEngine(run.CreateEngine(), tutor) });
        Assert.Equal(4, TinyRun.Hashes(parent).Length);

        // From the third step on: the fork after the second one has them as its own settings, the fork after the first one never heard of them.
        string child = await Fork(parent, 1);
        Assert.Empty(RunJournal.Open(child).Timeline.Controls);
        Assert.Equal((4, 2), (RunJournal.Open(child).Settings.Run.Steps, RunJournal.Open(child).Settings.Learning.Iterations));
        await Resume(child);
        Assert.Equal(TinyRun.Hashes(parent), TinyRun.Hashes(child));
        Assert.Equal((2, 2), Replayed(child, RunJournal.Open(child).Settings, to: 3));

        string earlier = await Fork(parent, 0);
        Assert.Equal((2, 1), (RunJournal.Open(earlier).Settings.Run.Steps, RunJournal.Open(earlier).Settings.Learning.Iterations));

        // A step after the change is folded with it.
        string later = await Fork(parent, 2);
        await Resume(later);
        Assert.Equal(TinyRun.Hashes(parent), TinyRun.Hashes(later));
    }

    [Fact]
    public async Task A_run_that_promises_no_bits_is_replayed_and_forked_where_a_fold_comes_out_differently()
    {
        string parent = await Complete(_tiny.Settings("run.deterministic=false"));
        Directory.Delete(Path.Combine(parent, "checkpoints"), recursive: true);

        // What another machine would do, only more of it.
        await File.WriteAllTextAsync(
            Path.Combine(parent, "run.conf"), SettingsWriter.Write(_tiny.Settings("run.deterministic=false", "learning.rate=2e-2")), TestContext.Current.CancellationToken);
        Assert.Equal((0, 3), Replayed(parent, RunJournal.Open(parent).Settings, to: 2, verify: false));
        string child = await Fork(parent, 1);

        var forked = Assert.Single(TinyRun.Journal(child).Events(LearnerActor.JournalId).OfType<RunForked>());
        Assert.NotEqual(TinyRun.Hashes(parent)[1], forked.PolicyHash);
        Assert.Equal((RunOutcome.Completed, 3), await Resume(child) is var ended ? (ended.Outcome, ended.Steps) : default);
        Assert.Empty(Audit(child, RunJournal.Open(child).Settings).Findings);
        Assert.Equal((2, 1), Replayed(child, RunJournal.Open(child).Settings, to: 2));
    }

    [Fact]
    public async Task What_cannot_be_forked_is_said_in_a_sentence_and_leaves_nothing_behind()
    {
        string parent = await Complete(_tiny.Settings());
        foreach ((string said, int step, string[] set) in new (string, int, string[])[]
        {
            ("step 3 is not committed; committed are steps 0 to 2", 3, ["run.steps=9"]),
            ("begins after step 2 and has 3 steps. Give it more with --set run.steps=N", 2, []),
            ("ghpo.model.path cannot change in a fork", 1, ["model.path=elsewhere"]),
            ("unknown key ghpo.learning.ratio", 1, ["learning.ratio=1"]),
        })
        {
            string message = (await Assert.ThrowsAsync<UserErrorException>(() => Fork(parent, step, set))).Message;
            Assert.Contains(said, message, StringComparison.Ordinal);
        }

        Assert.Equal([parent], Directory.GetDirectories(Path.GetDirectoryName(parent)!, "*run-*"));
        Assert.Empty(Directory.GetDirectories(Path.GetDirectoryName(parent)!, "fork-*"));

        string child = await Fork(parent, 1);
        Assert.Contains("exists; give the new run another name", (await Assert.ThrowsAsync<UserErrorException>(
            () => RunFork.CreateAsync(RunJournal.Open(parent), 1, Path.GetFileName(child), [], TimeProvider.System, _ => { }))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_killed_fork_left_behind_stands_in_nobody_s_way()
    {
        string parent = await Complete(_tiny.Settings());
        string leftOver = Path.Combine(Path.GetDirectoryName(parent)!, "fork-1.forking");
        Directory.CreateDirectory(Path.Combine(leftOver, "origin"));
        await File.WriteAllTextAsync(Path.Combine(leftOver, "journal.db"), "half a journal", TestContext.Current.CancellationToken);

        string child = await Fork(parent, 1);

        Assert.Equal("fork-1", Path.GetFileName(child));
        Assert.False(Directory.Exists(leftOver));
        Assert.Equal(3, (await Resume(child)).Steps);
    }

    private string NewFolder(GhpoSettings settings)
    {
        string folder = _tiny.NewFolder();
        File.WriteAllText(Path.Combine(folder, "run.conf"), SettingsWriter.Write(settings));
        return folder;
    }

    private async Task<string> Complete(GhpoSettings settings)
    {
        string folder = NewFolder(settings);
        await RunSession.Complete(TinyRun.Create(folder, settings).Run);
        return folder;
    }

    private async Task<string> Fork(string parent, int atStep, params string[] set)
    {
        int forks = Directory.GetDirectories(Path.GetDirectoryName(parent)!, "fork-*").Count(folder => !folder.EndsWith(".forking", StringComparison.Ordinal));
        return (await RunFork.CreateAsync(
            RunJournal.Open(parent), atStep, $"fork-{forks + 1}", [.. set.Select(one => SettingOverride.Parse(one))], TimeProvider.System, step => _folded.Add(step.Step))).Folder.Root;
    }

    private static Task<RunEvents.RunEnded> Resume(string folder) =>
        RunSession.Complete(TinyRun.Create(folder, RunJournal.Open(folder).Settings).Run);

    private static (int From, int Steps) Replayed(string folder, GhpoSettings settings, int to, bool verify = true)
    {
        ReplayResult result = new JournalReplay(TinyRun.Journal(folder), folder, new ControlTimeline(settings, []))
            .Fold(() => RunContextFactory.CreateTrainer(settings, () => null), to, fromNewest: false, verify, _ => { }, _ => { });
        Assert.Empty(result.Faults);
        return (result.From, result.Steps.Length);
    }

    private static JournalAudit Audit(string folder, GhpoSettings settings) =>
        JournalAudit.Of(TinyRun.Journal(folder), folder, settings);

    private static string Digest(string folder, int nextStep) => TinyRun.Journal(folder).Events(LearnerActor.JournalId)
        .OfType<CheckpointTaken>().Last(taken => taken.NextStep == nextStep).Hash;

    private static void RequireSame(RunMoment expected, RunMoment actual)
    {
        var serializer = new GhpoEventSerializer(null);
        Assert.Equal(serializer.ToBinary(expected.State.Curriculum), serializer.ToBinary(actual.State.Curriculum));
        Assert.Equal(serializer.ToBinary(expected.State.Hints), serializer.ToBinary(actual.State.Hints));
        Assert.Equal(expected.Last!.PolicyHash, actual.Last!.PolicyHash);
    }
}
