using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Difficulty;
using Ghpo.Hints;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Difficulty;

public sealed class DifficultyDetectionTests
{
    [Theory]
    [InlineData(GroupDifficulty.Solved, Verdict.Wrong, Verdict.Correct)]
    [InlineData(GroupDifficulty.Solved, Verdict.VerifierFailed, Verdict.Correct)]
    [InlineData(GroupDifficulty.Hard, Verdict.Wrong, Verdict.Wrong)]
    [InlineData(GroupDifficulty.Hard, Verdict.Malformed, Verdict.Unverifiable)]
    [InlineData(GroupDifficulty.Hard, Verdict.VerifierFailed, Verdict.Truncated)]
    [InlineData(GroupDifficulty.Unjudged, Verdict.VerifierFailed, Verdict.Unverifiable)]
    public void A_group_is_hard_if_no_judged_answer_is_correct(GroupDifficulty difficulty, params Verdict[] verdicts) =>
        Assert.Equal(difficulty, DifficultyDetection.Of(Group(verdicts, verdicts.Length)));

    [Fact]
    public void A_judgement_too_few_is_a_mistake_not_a_hard_group() =>
        Assert.Throws<ArgumentException>(() => DifficultyDetection.Of(Group([Verdict.Wrong], 2)));

    private static VerifiedGroup Group(Verdict[] verdicts, int answers)
    {
        var attempt = new GroupAttempt(new GroupId(3, 1), new ProblemId("p"), 0, 0);
        var completion = new Completion([1], [0f], FinishReason.Stopped);
        var rollout = new RolloutGroup(
            new PromptedGroup(attempt, [1], [], 0, false, true), [.. Enumerable.Repeat(completion, answers)], 1, new PolicyVersion(0), "worker");
        ImmutableArray<Judgement> judgements = [.. verdicts.Select(verdict => new Judgement(verdict, true, ""))];
        return new VerifiedGroup(rollout, judgements);
    }
}
