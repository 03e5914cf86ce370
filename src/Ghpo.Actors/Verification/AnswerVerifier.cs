using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Extraction;

namespace Ghpo.Verification;

/// <summary>Judges completions by their final answer. Pure and thread-safe.</summary>
/// <param name="extraction">The marker that an answer counts behind.</param>
/// <param name="format">The form asked for; it does not touch the verdict.</param>
/// <param name="options">How answers are compared; null for the defaults.</param>
/// <param name="own">The user's own reward, null for none. Where it fails, the verdict is <see cref="Verdict.VerifierFailed"/>.</param>
public sealed class AnswerVerifier(AnswerMarker extraction, FormatRule format, EquivalenceOptions? options = null, IsolatedReward? own = null)
{
    private readonly EquivalenceOptions _options = options ?? new EquivalenceOptions();

    /// <summary>The verdict on one completion.</summary>
    /// <param name="completion">The completion's text, without special tokens.</param>
    /// <param name="finish">A completion that was cut counts all the same if its marked answer is complete.</param>
    public Judgement Judge(string completion, FinishReason finish, Problem problem)
    {
        ArgumentNullException.ThrowIfNull(completion);
        ArgumentNullException.ThrowIfNull(problem);
        bool truncated = finish == FinishReason.Length;
        ExtractedAnswer? answer = AnswerExtractor.Find(completion, extraction, truncated);
        Judgement judgement = Judge(completion, answer, truncated, problem);
        if (own is null || !judgement.Counts)
        {
            return judgement;
        }

        (double score, string? failure) = own.Score(new AnsweredProblem(problem, completion, answer?.Text, judgement.Verdict));
        return failure is null ? judgement with { OwnScore = score } : judgement with { Verdict = Verdict.VerifierFailed, Reason = failure };
    }

    private Judgement Judge(string completion, ExtractedAnswer? answer, bool truncated, Problem problem)
    {
        bool formed = FormatMatcher.Matches(format, completion);

        // The reference is looked at first: whether a problem can be judged does not depend on the completion.
        Comparison comparison = AnswerComparer.Explain(problem.Answer, answer?.Text ?? "", _options);
        if (comparison.Match == AnswerMatch.Undecided)
        {
            return new Judgement(Verdict.Unverifiable, formed, $"reference '{ReasonText.Short(problem.Answer)}' of {problem.Id} cannot be read");
        }

        if (answer is null)
        {
            return truncated
                ? new Judgement(Verdict.Truncated, formed, "cut before a complete answer")
                : new Judgement(Verdict.Malformed, formed, AnswerExtractor.AfterThinking(completion) is null ? "thinking is not closed" : "no marked answer");
        }

        Verdict verdict = comparison.Match == AnswerMatch.Equal ? Verdict.Correct : Verdict.Wrong;
        return new Judgement(verdict, formed, $"parsed {ReasonText.Short(answer.Text)}, expected {ReasonText.Short(problem.Answer)}");
    }
}
