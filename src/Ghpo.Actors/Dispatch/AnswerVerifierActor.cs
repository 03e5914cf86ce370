using Akka.Actor;
using Ghpo.Models;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Dispatch;

/// <summary>Asks <see cref="AnswerVerifierActor"/> to judge a group. Answered by <see cref="VerifiedGroup"/>.</summary>
public sealed record VerifyGroup(RolloutGroup Group);

/// <summary>
/// Judges a group's answers; one of a pool. Stateless. A verifier that throws on an answer yields <see cref="Verdict.VerifierFailed"/> with
/// the exception's message for that answer alone: it must never look like a wrong one, and must not stop the run.
/// </summary>
public sealed class AnswerVerifierActor : ReceiveActor
{
    private readonly IReadOnlyDictionary<ProblemId, Problem> _problems;
    private readonly ITokenizer _tokenizer;
    private readonly AnswerVerifier _verifier;

    public AnswerVerifierActor(IReadOnlyDictionary<ProblemId, Problem> problems, ITokenizer tokenizer, AnswerVerifier verifier)
    {
        _problems = problems;
        _tokenizer = tokenizer;
        _verifier = verifier;
        Receive<VerifyGroup>(request => Sender.Tell(Verify(request.Group)));
        Receive<AnswerToJudge>(answer => Sender.Tell(Judge(verifier, answer)));
    }

    /// <summary>As the learner's own verifier judges, on whatever node: a verdict is a function of what is given here.</summary>
    internal static AnswerJudged Judge(AnswerVerifier verifier, AnswerToJudge answer) => new(
        answer.Key,
        Guarded(() => verifier.Judge(answer.Text, answer.Finish, new Problem(answer.Problem, Text: "", answer.Reference, Solution: null, Level: ""))));

    /// <summary>What is said of an answer that the verifier threw on.</summary>
    internal static Judgement Failed(Exception failure) => new(Verdict.VerifierFailed, Format: false, failure.Message);

    private static Judgement Guarded(Func<Judgement> judge)
    {
        try
        {
            return judge();
        }
#pragma warning disable CA1031 // Whatever a verifier throws is its failure, not the answer's; the type of the verdict says so.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return Failed(failure);
        }
    }

    private VerifiedGroup Verify(RolloutGroup group)
    {
        Problem problem = _problems[group.Prompted.Attempt.Problem];
        return new VerifiedGroup(group, [.. group.Completions.Select(completion =>
            Guarded(() => _verifier.Judge(_tokenizer.Decode(completion.Tokens), completion.Finish, problem)))]);
    }
}
