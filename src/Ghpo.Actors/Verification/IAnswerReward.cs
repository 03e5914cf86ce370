using Ghpo.Problems;

namespace Ghpo.Verification;

/// <summary>What a reward of the user's own sees of an answer.</summary>
/// <param name="Completion">The completion's text, without special tokens.</param>
/// <param name="Answer">The answer in it; null if none was found.</param>
public sealed record AnsweredProblem(Problem Problem, string Completion, string? Answer, Verdict Verdict);

/// <summary>
/// A reward of the user's own, named by <c>ghpo.rewards.own.type</c>. It needs a public constructor without parameters. One that throws, returns no number
/// or takes longer than <c>ghpo.rewards.own.timeout</c> makes the verdict <see cref="Verdict.VerifierFailed"/>: that answer then takes no part in training.
/// </summary>
public interface IAnswerReward
{
    /// <summary>Called from several threads at a time. The score is multiplied by <c>ghpo.rewards.own.weight</c>.</summary>
    double Score(AnsweredProblem answer);
}
