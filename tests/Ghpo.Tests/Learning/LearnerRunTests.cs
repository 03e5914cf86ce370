using Xunit;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Tests.Problems;

namespace Ghpo.Tests.Learning;

public sealed class LearnerRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_run_takes_its_steps_and_ends_with_a_checkpoint_and_two_evaluations()
    {
        RunEvents.RunEnded ended = await LearnerRun.Complete(_folder.Path, new LearnerRunOptions());

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.Equal(3, ended.Steps);
        Assert.Equal(Path.Combine(_folder.Path, "checkpoints/step-000003"), ended.ModelFolder);
        Assert.Equal(3, LearnerRun.Hashes(_folder.Path).Length);
        Assert.Equal(
            [0, 2, 3],
            LearnerRun.Journal(_folder.Path).Events(LearnerActor.JournalId)
                .OfType<LearnerProtocol.PolicyEvaluated>()
                .Select(evaluated => evaluated.Result.Version.Value));
        LearnerRun.CheckJournal(_folder.Path);
    }
}
