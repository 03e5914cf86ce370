using Ghpo.Verification;

namespace Ghpo.Difficulty;

/// <summary>
/// GHPO's difficulty detection: a group is hard if and only if the accuracy reward of every answer is zero. The format reward does not count,
/// and neither do answers that the verifier could not judge.
/// </summary>
public static class DifficultyDetection
{
    public static GroupDifficulty Of(VerifiedGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        if (group.Judgements.Length != group.Rollout.Completions.Length)
        {
            throw new ArgumentException(
                $"Group {group.Rollout.Prompted.Attempt.Group} has {group.Rollout.Completions.Length} answers and " +
                $"{group.Judgements.Length} judgements.", nameof(group));
        }

        if (group.Judgements.Any(judgement => judgement.Verdict == Verdict.Correct))
        {
            return GroupDifficulty.Solved;
        }

        return group.Judgements.Any(judgement => judgement.Counts) ? GroupDifficulty.Hard : GroupDifficulty.Unjudged;
    }
}
