using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Inspection;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Learning;

/// <summary>What became of a group, without its tokens: some sixty bytes in the journal where the group itself is thousands.</summary>
/// <param name="Verdicts">Answers by verdict, at the level the group settled at; verdicts that nobody got are left out.</param>
/// <param name="PromptTokens">Length of the prompt, hint included.</param>
/// <param name="CompletionTokens">Tokens of the answers it settled with.</param>
/// <param name="ExtraTokens">Tokens of answers at lower hint levels, which were dropped.</param>
public sealed record GroupFacts(
    GroupId Group,
    ProblemId Problem,
    Settlement Settlement,
    int Attempt,
    double HintRatio,
    bool HintShortened,
    ImmutableArray<VerdictCount> Verdicts,
    int PromptTokens,
    int CompletionTokens,
    int ExtraTokens,
    long Epoch,
    PolicyVersion Version)
{
    public int Samples => Verdicts.Sum(verdict => verdict.Samples);

    public int Correct => Verdicts.Where(verdict => verdict.Verdict == Verdict.Correct).Sum(verdict => verdict.Samples);

    /// <summary>Answers that count.</summary>
    public int Judged => Verdicts.Where(verdict => verdict.Verdict.Counts()).Sum(verdict => verdict.Samples);

    public static GroupFacts Of(SettledGroup group) => new(
        group.Group,
        group.Problem,
        group.Settlement,
        group.Attempt,
        group.HintRatio,
        group.HintShortened,
        [.. group.Samples.GroupBy(sample => sample.Verdict).OrderBy(verdict => verdict.Key).Select(verdict => new VerdictCount(verdict.Key, verdict.Count()))],
        group.Prompt.Length,
        group.Samples.Sum(sample => sample.Completion.Tokens.Length),
        group.ExtraTokens,
        group.Epoch,
        group.Version);

    /// <summary>The facts of a group that an event says has settled, tokens kept or not; null for any other event.</summary>
    public static GroupFacts? Of(object fact) => fact switch
    {
        LearnerProtocol.GroupSettled settled => Of(settled.Group),
        LearnerProtocol.GroupPruned pruned => pruned.Facts,
        _ => null,
    };
}
