using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Learning;

/// <summary>How a group left the hint ladder.</summary>
public enum Settlement
{
    /// <summary>At least one answer is correct at the level it was sampled at.</summary>
    Solved,

    /// <summary>All answers are wrong at the last level there is.</summary>
    Unsolved,

    /// <summary>All answers are wrong, and the problem has no solution to hint with.</summary>
    NoSolution,

    /// <summary>No answer could be judged. The group trains nothing.</summary>
    Unjudged,
}

/// <summary>One answer as training needs it.</summary>
public sealed record TrainingSample(Completion Completion, Verdict Verdict, bool Format)
{
    /// <summary>The score of the user's own reward; 0 where there is none.</summary>
    public double OwnScore { get; init; }
}

/// <summary>
/// Everything that training needs of a group; the journal holds it, so that a step can be folded again. Prompt is the very prompt the
/// samples were drawn under.
/// </summary>
/// <param name="UnhintedPrompt">The prompt of the same problem at ω = 0; empty where Prompt is un-hinted already.</param>
/// <param name="ExtraTokens">Completion tokens sampled for this group at lower hint levels and dropped.</param>
public sealed record SettledGroup(
    GroupId Group,
    ProblemId Problem,
    Settlement Settlement,
    int Attempt,
    double HintRatio,
    bool HintShortened,
    ImmutableArray<int> Prompt,
    ImmutableArray<int> UnhintedPrompt,
    ImmutableArray<TrainingSample> Samples,
    int ExtraTokens,
    long Epoch,
    PolicyVersion Version);
