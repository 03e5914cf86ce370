using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Commands;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Ghpo.Tests.Problems;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary>Public data sets through the whole pipeline, with a model that can solve none of their problems.</summary>
public sealed class RealDataTests : IDisposable
{
    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("gsm8k/train.jsonl", 256)]
    [InlineData("math/train.jsonl", 192)]
    public async Task Every_group_of_a_public_data_set_climbs_the_ladder_and_long_hints_are_shortened_and_counted(string file, int maxTokens)
    {
        (int exitCode, string output, string error) = await _tiny.Train(
            "--data", SharedData.File(file), "--set", "prompt.too-long=skip", "--set", $"prompt.max-tokens={maxTokens}", "--set", "data.limit=500");

        Assert.Equal((ExitCodes.Success, ""), (exitCode, error));
        Assert.Matches(@"\nleft out: (\d+ without problem or answer, )?\d+ longer than the prompt may be; the first: ", output);
        Assert.Contains("unsolved: 100 %", output, StringComparison.Ordinal);
        RunFolder folder = RunFolder.Open(Path.Combine(_tiny.Runs, "tiny"));
        StepReport step = Assert.Single(MetricsFiles.ReadSteps(folder));
        Assert.Equal((4, 8, 4), (step.Groups, step.Samples, step.Unsolved));
        Assert.InRange(step.HintsShortened, 1, 4);
        Assert.InRange(step.ExtraTokens, 3 * 8, step.RolloutTokens - 8);

        var journal = new JournalReader(folder.Journal);
        SettledGroup[] settled = [.. journal.Events(LearnerActor.JournalId).OfType<LearnerProtocol.GroupSettled>().Select(one => one.Group)];
        Assert.Equal(4, settled.Length);
        Assert.All(settled, group => Assert.Equal((Settlement.Unsolved, 3, 0.75), (group.Settlement, group.Attempt, group.HintRatio)));
        Assert.All(settled, group => Assert.InRange(group.Prompt.Length, 1, maxTokens));
        Assert.Equal(
            Enumerable.Repeat(new[] { 0.25, 0.5, 0.75 }, 4).SelectMany(levels => levels).Order(),
            journal.Events(HintScheduleActor.JournalId).OfType<HintProtocol.HintRaised>().Select(raised => raised.HintRatio).Order());
    }
}
