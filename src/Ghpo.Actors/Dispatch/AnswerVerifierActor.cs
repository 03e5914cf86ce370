using Akka.Actor;
using Ghpo.Models;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

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
    }

    private VerifiedGroup Verify(RolloutGroup group)
    {
        Problem problem = _problems[group.Prompted.Attempt.Problem];
        return new VerifiedGroup(group, [.. group.Completions.Select(completion => Judge(completion, problem))]);
    }

    private Judgement Judge(Completion completion, Problem problem)
    {
        try
        {
            return _verifier.Judge(_tokenizer.Decode(completion.Tokens), completion.Finish, problem);
        }
#pragma warning disable CA1031 // Whatever a verifier throws is its failure, not the answer's; the type of the verdict says so.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return new Judgement(Verdict.VerifierFailed, Format: false, failure.Message);
        }
    }
}
