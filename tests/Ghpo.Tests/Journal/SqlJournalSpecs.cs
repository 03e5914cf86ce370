using System.Data.Common;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Tests.Learning;
using Ghpo.Tests.Problems;
using Xunit;

namespace Ghpo.Tests.Journal;

/// <summary>What must hold whatever the journal is kept in.</summary>
public abstract class SqlJournalSpecs : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        TestJournal.Drop(_folder.Path);
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected string Folder => _folder.Path;

    [Fact]
    public async Task Every_row_is_written_by_our_serializer_under_one_of_its_manifests()
    {
        await LearnerRun.Complete(_folder.Path, new LearnerRunOptions());

        string[] manifests = [.. JournalRows.Of(_folder.Path, "SELECT DISTINCT manifest FROM journal")];
        Assert.Equal(["ct-v1", "es-v1", "gr-v1", "gs-v1", "hr-v1", "or-v1", "pe-v1", "sc-v1", "sp-v1"], manifests.Order(StringComparer.Ordinal));
        Assert.Equal(["7601"], JournalRows.Of(_folder.Path, "SELECT DISTINCT identifier FROM journal"));
        Assert.Equal(["ls-v3"], JournalRows.Of(_folder.Path, "SELECT DISTINCT manifest FROM snapshot"));
        Assert.Equal(["7601"], JournalRows.Of(_folder.Path, "SELECT DISTINCT serializer_id FROM snapshot"));
    }

    [Fact]
    public async Task A_live_journal_can_be_read_while_it_is_written()
    {
        await using LearnerRun run = await LearnerRun.Start(_folder.Path, new LearnerRunOptions(Steps: 100));
        await run.Sample(steps: 2);

        object[] events = [.. LearnerRun.Journal(_folder.Path).Events(LearnerActor.JournalId)];
        Assert.IsType<LearnerProtocol.EpochStarted>(events[0]);
        Assert.True(events.OfType<LearnerProtocol.GroupSettled>().Count() >= 6);
        Assert.NotEmpty(LearnerRun.Journal(_folder.Path).Events(CurriculumActor.JournalId));
        Assert.NotEmpty(LearnerRun.Journal(_folder.Path).Events(HintScheduleActor.JournalId));
    }

    [Fact]
    public void A_held_journal_is_refused_with_the_holders_process_and_let_go_in_the_end()
    {
        JournalSettings settings = TestJournal.SettingsOf(Folder);
        string file = Path.Combine(Folder, "journal.db");
        using (SqlJournal.Hold(settings, file))
        {
            var refusal = Assert.Throws<UserErrorException>(() => SqlJournal.Hold(settings, file));
            Assert.Matches($@"is held by (ghpo )?process {Environment.ProcessId}\b.*; stop it or use another", refusal.Message);
        }

        SqlJournal.Hold(settings, file).Dispose();
    }

    [Fact]
    public async Task A_sequence_number_of_an_actor_can_be_written_once()
    {
        await LearnerRun.Complete(Folder, new LearnerRunOptions(Steps: 1));

        var refusal = Assert.ThrowsAny<DbException>(() => JournalRows.Of(
            Folder,
            "INSERT INTO journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier) "
            + "SELECT created, deleted, persistence_id, sequence_number, message, manifest, identifier FROM journal WHERE sequence_number = 2",
            write: true).ToArray());
        Assert.Contains("unique", refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_stale_learner_that_comes_back_can_write_nothing_until_it_has_read_what_it_missed()
    {
        var options = new LearnerRunOptions(Steps: 4);
        string reference = Directory.CreateDirectory(Path.Combine(Folder, "reference")).FullName;
        await LearnerRun.Complete(reference, options);

        await using LearnerRun stale = await LearnerRun.Start(Folder, options);
        await stale.Sample(steps: 1);
        await stale.Committed(1);
        string elsewhere = Directory.CreateDirectory(Path.Combine(Folder, "elsewhere")).FullName;
        await using (LearnerRun other = await LearnerRun.Start(elsewhere, options, journalOf: Folder))
        {
            await other.Sample(steps: 1);
            await other.Committed(2);
        }

        RequireSnapshotsAreFolds();

        // It believes to be in epoch 1 with step 1 still to be sampled.
        Assert.Equal((1, 1), (await stale.Learner.Answer<LearnerProtocol.LearnerView>(new LearnerProtocol.GetLearner())) is var view ? (view.Epoch, view.Step) : default);
        await stale.Sample();
        Assert.Equal((RunOutcome.Completed, 4), (await stale.Ended) is var ended ? (ended.Outcome, ended.Steps) : default);

        object[] events = [.. LearnerRun.Journal(Folder).Events(LearnerActor.JournalId)];
        Assert.Equal([1, 2, 3], events.OfType<LearnerProtocol.EpochStarted>().Select(started => started.Epoch));
        Assert.Equal([1L, 2L, 3L, 3L], events.OfType<LearnerProtocol.StepCommitted>().Select(committed => committed.Report.Epoch));
        Assert.Equal(LearnerRun.Hashes(reference), LearnerRun.Hashes(Folder));
        LearnerRun.CheckJournal(Folder);

        // The last one is written beside the run's end.
        for (int look = 0; RequireSnapshotsAreFolds() == 0; look++)
        {
            Assert.True(look < 200, "no snapshot was written");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>
    /// A snapshot takes the place of another one of its sequence number, and no index forbids it. What keeps a stale learner from leaving one is that it takes a snapshot only behind an event
    /// that it has just written itself, which it cannot: so each snapshot is, bit for bit, what the events up to its number fold to, whoever wrote it.
    /// </summary>
    /// <returns>How many there are.</returns>
    private int RequireSnapshotsAreFolds()
    {
        string bytes = TestJournal.SettingsOf(Folder).Provider == JournalProvider.Sqlite ? "hex(snapshot)" : "upper(encode(snapshot, 'hex'))";
        string[] snapshots = [.. JournalRows.Of(Folder, $"SELECT sequence_number || ':' || {bytes} FROM snapshot WHERE persistence_id = '{LearnerActor.JournalId}' ORDER BY sequence_number")];
        object[] events = [.. LearnerRun.Journal(Folder).Events(LearnerActor.JournalId)];
        foreach (string[] snapshot in snapshots.Select(row => row.Split(':')))
        {
            int number = int.Parse(snapshot[0], CultureInfo.InvariantCulture);
            Assert.IsType<LearnerProtocol.CheckpointTaken>(events[number - 1]);
            RunState folded = events.Take(number).Aggregate(RunState.Empty(staleness: 0), (state, fact) => state.Apply(fact));
            Assert.Equal(Convert.ToHexString(new GhpoEventSerializer(null).ToBinary(folded.Learner)), snapshot[1]);
        }

        return snapshots.Length;
    }
}
