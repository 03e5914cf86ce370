using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Tests.Learning;
using Ghpo.Tests.Problems;
using Xunit;

namespace Ghpo.Tests.Journal;

public sealed class SqlJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_row_is_written_by_our_serializer_under_one_of_its_manifests()
    {
        await LearnerRun.Complete(_folder.Path, new LearnerRunOptions());

        string[] manifests = [.. JournalRows.Of(_folder.Path, "SELECT DISTINCT manifest FROM journal")];
        Assert.Equal(["ct-v1", "es-v1", "gr-v1", "gs-v1", "hr-v1", "or-v1", "pe-v1", "sc-v1", "sp-v1"], manifests.Order(StringComparer.Ordinal));
        Assert.Equal(["7601"], JournalRows.Of(_folder.Path, "SELECT DISTINCT identifier FROM journal"));
        Assert.Equal(["ls-v1"], JournalRows.Of(_folder.Path, "SELECT DISTINCT manifest FROM snapshot"));
        Assert.Equal(["7601"], JournalRows.Of(_folder.Path, "SELECT DISTINCT serializer_id FROM snapshot"));
    }

    [Fact]
    public async Task A_run_on_PostgreSQL_is_taken_up_again_where_it_ended()
    {
        // A connection string to an empty database, for example "Host=127.0.0.1;Username=ghpo;Database=ghpo".
        string? connection = Environment.GetEnvironmentVariable("GHPO_TEST_POSTGRESQL");
        if (string.IsNullOrEmpty(connection))
        {
            Assert.Skip("GHPO_TEST_POSTGRESQL is not set");
        }

        var options = new LearnerRunOptions { Journal = new JournalSettings(JournalProvider.Postgresql, connection, KeepRollouts.All) };
        RunEvents.RunEnded ended = await LearnerRun.Complete(_folder.Path, options);
        Assert.Equal((RunOutcome.Completed, 3), (ended.Outcome, ended.Steps));

        await using LearnerRun resumed = await LearnerRun.Start(_folder.Path, options);
        Assert.Equal(ended, await resumed.Ended);
        Assert.Equal(2, (await resumed.Learner.Answer<LearnerProtocol.LearnerView>(new LearnerProtocol.GetLearner())).Epoch);
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
}
