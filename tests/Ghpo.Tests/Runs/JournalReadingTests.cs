using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Tests.Journal;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>Looking back at whole runs: states, lineage, replay, and the check that finds what is wrong.</summary>
public sealed class JournalReadingTests : IDisposable
{
    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task The_state_as_of_a_step_is_the_one_that_a_run_ending_there_is_left_in()
    {
        string folder = await Complete(_tiny.Settings("hints.strategy=memory"));
        string shorter = await Complete(_tiny.Settings("hints.strategy=memory", "run.steps=2", "checkpoints.every-steps=100"));

        RunState then = RunHistory.At(TinyRun.Journal(folder), staleness: 0, step: 1).State;
        RunState ended = RunHistory.At(TinyRun.Journal(shorter), staleness: 0, step: null).State;

        Assert.Equal(2, then.Learner.NextStep);
        Assert.Empty(then.OpenGroups);
        var serializer = new GhpoEventSerializer(null);
        Assert.Equal(serializer.ToBinary(ended.Curriculum), serializer.ToBinary(then.Curriculum));
        Assert.Equal(serializer.ToBinary(ended.Hints), serializer.ToBinary(then.Hints));
        Assert.Equal(TinyRun.Hashes(shorter)[1], RunHistory.At(TinyRun.Journal(folder), 0, 1).Last!.PolicyHash);
        Assert.Contains("committed are steps 0 to 2", Assert.Throws<UserErrorException>(() => RunHistory.At(TinyRun.Journal(folder), 0, 3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lineage_tells_the_levels_that_each_group_climbed_and_each_step_that_used_a_problem()
    {
        GhpoSettings settings = _tiny.Settings();
        string folder = await Complete(settings);
        ImmutableArray<SettledGroup> settled = TinyRun.Settled(folder);

        StepLineage step = Lineage.OfStep(TinyRun.Journal(folder), 1);

        Assert.Equal(settled.Where(group => group.Group.Step == 1).Select(group => group.Group), step.Groups.Select(group => group.Facts.Group));
        Assert.Equal((TinyRun.Hashes(folder)[0], TinyRun.Hashes(folder)[1]), (step.HashBefore, step.Commit.PolicyHash));
        Assert.All(step.Groups, group => Assert.Equal(
            new[] { 0, 0.25, 0.5, 0.75 }.Take(group.Facts.Attempt + 1), group.Levels));
        Assert.All(step.Groups, group => Assert.Equal((4, true, true), (group.Facts.Samples, group.Committed, group.TokensKept)));
        Assert.Contains(step.Groups, group => group.Levels.Length == 4);

        // Ten problems in fifteen groups: the ones of the first step come again in the third.
        ProblemId problem = settled[0].Problem;
        ProblemLineage used = Lineage.OfProblem(TinyRun.Journal(folder), 0, problem);
        Assert.Equal(settled.Where(group => group.Problem == problem).Select(group => group.Group), used.Groups.Select(group => group.Facts.Group));
        Assert.Equal(used.Groups.Length, used.Statistics!.Seen);
        Assert.Contains("no step has used problem nobody", Assert.Throws<UserErrorException>(
            () => Lineage.OfProblem(TinyRun.Journal(folder), 0, new ProblemId("nobody"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_replay_gives_the_weights_of_every_step_and_every_byte_of_every_checkpoint_whatever_the_staleness(int staleness)
    {
        GhpoSettings settings = _tiny.Settings($"rollout.staleness={staleness}", "run.steps=6");
        string folder = await Complete(settings);
        if (staleness > 0)
        {
            Assert.Contains(TinyRun.Settled(folder), group => group.Version.Value < group.Group.Step);
        }

        ReplayResult all = Replay(folder, settings, to: 5, verify: true);

        Assert.Empty(all.Faults);
        Assert.Equal(TinyRun.Hashes(folder), all.Steps.Select(step => step.Hash));
        Assert.Equal((0, null, 3), (all.From, all.Source, all.CheckpointsCompared));

        ReplayResult one = Replay(folder, settings, to: 2, fromNewest: true);
        Assert.Empty(one.Faults);
        Assert.Equal((2, TinyRun.Hashes(folder)[2]), (one.From, Assert.Single(one.Steps).Hash));
    }

    [Fact]
    public async Task A_replay_with_other_settings_names_the_first_step_that_differs()
    {
        string folder = await Complete(_tiny.Settings());

        ReplayResult result = Replay(folder, _tiny.Settings("learning.rate=2e-2"), to: 2);

        Assert.StartsWith($"step 0 gives weights {result.Steps[0].Hash}, but the journal has {TinyRun.Hashes(folder)[0]}", Assert.Single(result.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_named_by_the_check_and_the_replay_and_a_fold_begins_before_it()
    {
        GhpoSettings settings = _tiny.Settings();
        string folder = await Complete(settings);
        string file = Path.Combine(folder, "checkpoints/step-000002/optimizer.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);

        Assert.Contains($"{file} ({bytes.Length} bytes) is truncated or altered", Assert.Single(Audit(folder, settings).Findings), StringComparison.Ordinal);
        Assert.Contains(file, Assert.Single(Replay(folder, settings, to: 2, verify: true).Faults), StringComparison.Ordinal);
        ReplayResult newest = Replay(folder, settings, to: 1, fromNewest: true);
        Assert.Contains(file, Assert.Single(newest.Unusable), StringComparison.Ordinal);
        Assert.Equal((0, 2), (newest.From, newest.Steps.Length));
        Assert.Empty(newest.Faults);
    }

    [Fact]
    public async Task A_checkpoint_of_another_run_is_found_by_its_digest()
    {
        GhpoSettings settings = _tiny.Settings();
        string folder = await Complete(settings);
        string other = await Complete(_tiny.Settings("run.seed=2"));
        Directory.Delete(Path.Combine(folder, "checkpoints/step-000003"), recursive: true);
        Directory.Move(Path.Combine(other, "checkpoints/step-000003"), Path.Combine(folder, "checkpoints/step-000003"));

        Assert.Contains("is not the checkpoint that the journal names", Assert.Single(Audit(folder, settings).Findings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DELETE FROM journal WHERE ordering = (SELECT max(ordering) FROM journal WHERE manifest = 'gs-v1')", "committed without group 2/")]
    [InlineData("DELETE FROM journal WHERE ordering = (SELECT max(ordering) FROM journal WHERE manifest = 'hr-v1' GROUP BY substr(message, 2, 2) HAVING count(*) > 1)", "but was last raised to attempt")]
    [InlineData("DELETE FROM journal WHERE ordering = (SELECT ordering FROM journal WHERE manifest = 'hr-v1' GROUP BY substr(message, 2, 2) HAVING count(*) = 1)", "but was never raised")]
    [InlineData("DELETE FROM journal WHERE ordering = (SELECT max(ordering) FROM journal WHERE manifest = 'or-v1')", "trained on without an outcome")]
    [InlineData("DELETE FROM journal WHERE manifest = 'gr-v1' AND sequence_number > 20", "was not released")]
    [InlineData("DELETE FROM journal WHERE manifest = 'sp-v1'", "committed without a plan")]
    [InlineData("DELETE FROM journal WHERE persistence_id = 'learner' AND sequence_number = 3", "event 4 of learner follows event 2")]
    [InlineData(
        "INSERT INTO journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier, writer_uuid) "
        + "SELECT created, 0, persistence_id, 1 + (SELECT max(sequence_number) FROM journal WHERE persistence_id = 'learner'), message, manifest, identifier, writer_uuid "
        + "FROM journal WHERE manifest = 'gs-v1' LIMIT 1", "settled twice")]
    [InlineData("UPDATE journal SET message = substr(message, 1, 9) WHERE persistence_id = 'learner' AND sequence_number = 2", "event 2 of learner cannot be read")]
    [InlineData("UPDATE journal SET identifier = 1 WHERE persistence_id = 'hints' AND sequence_number = 2", "it was written by serializer 1")]
    public async Task A_journal_that_somebody_cut_or_patched_is_not_sound(string sql, string finding)
    {
        GhpoSettings settings = _tiny.Settings();
        string folder = await Complete(settings);
        JournalAudit sound = Audit(folder, settings);
        Assert.Empty(sound.Findings);
        Assert.Equal((3, 3, 15, 15, 0, 60), (
            sound.Counts.StepsPlanned, sound.Counts.StepsCommitted, sound.Counts.GroupsPlanned, sound.Counts.SettledGroups, sound.Counts.OpenGroups, sound.Counts.Answers));
        Assert.Equal((2, 2), (sound.Counts.Checkpoints, sound.Counts.CheckpointsVerified));

        Assert.True(Change(folder, sql) > 0);

        Assert.Contains(Audit(folder, settings).Findings, found => found.Contains(finding, StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_a_kill_the_tables_themselves_hold_each_planned_group_once_and_none_is_missing()
    {
        // SQL alone, past all code of ours: in a small run step and index are one byte each, at known places of each event.
        string folder = _tiny.NewFolder();
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, _tiny.Settings("run.steps=5"));
        using (var held = new SemaphoreSlim(0))
        {
            int requests = 0;
            tutor.BeforeSubmit = (_, _) => _ = Interlocked.Increment(ref requests) == 33 ? held.Release() : 0;
            await using RunSession session = await RunSession.Start(run);
            await held.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }

        Assert.Equal(RunOutcome(await RunSession.Complete(TinyRun.Create(folder, _tiny.Settings("run.steps=5")).Run)), (5, 2));

        Assert.Equal(["00", "01", "02", "03", "04"], JournalRows.Of(folder, "SELECT hex(substr(message, 2, 1)) FROM journal WHERE manifest = 'sc-v1' ORDER BY ordering"));
        foreach (string manifest in new[] { "gs-v1", "or-v1", "gr-v1" })
        {
            Assert.Empty(JournalRows.Of(folder, $"SELECT hex(substr(message, 2, 2)) FROM journal WHERE manifest = '{manifest}' GROUP BY 1 HAVING count(*) <> 1"));
            Assert.Equal(
                ["00:5", "01:5", "02:5", "03:5", "04:5"],
                JournalRows.Of(folder, $"SELECT hex(substr(message, 2, 1)) || ':' || count(*) FROM journal WHERE manifest = '{manifest}' GROUP BY substr(message, 2, 1) ORDER BY 1"));
        }

        (int, int) RunOutcome(Ghpo.Inspection.RunEvents.RunEnded ended) => (ended.Steps, TinyRun.Epochs(folder).Length);
    }

    private async Task<string> Complete(GhpoSettings settings)
    {
        string folder = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(folder, settings).Run);
        return folder;
    }

    private static ReplayResult Replay(string folder, GhpoSettings settings, int to, bool verify = false, bool fromNewest = false) =>
        new JournalReplay(TinyRun.Journal(folder), folder, new ControlTimeline(settings, []))
            .Fold(() => RunContextFactory.CreateTrainer(settings, () => null), to, fromNewest, verify, _ => { }, _ => { });

    private static JournalAudit Audit(string folder, GhpoSettings settings) =>
        JournalAudit.Of(TinyRun.Journal(folder), folder, settings);

    private static int Change(string folder, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "journal.db")};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }
}
