using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Difficulty;

/// <summary>
/// Decides where a verified group goes: to the learner if any answer is correct, if none can be judged, or if there is no more help to
/// give; else back to the prompt sampler at the next hint level, which the hint schedule grants and journals before this actor answers.
/// Stateless. A hint schedule that does not answer in time fails the request, and with it the pipeline.
/// </summary>
public sealed class DifficultyClassifierActor : ReceiveActor
{
    private readonly IActorRef _hints;
    private readonly TimeSpan _patience;

    /// <param name="patience">How long the hint schedule's journal may take.</param>
    public DifficultyClassifierActor(IActorRef hints, TimeSpan patience)
    {
        _hints = hints;
        _patience = patience;
        Receive<ClassifyGroup>(request => Classify(request.Group));
    }

    private void Classify(VerifiedGroup group)
    {
        PromptedGroup prompted = group.Rollout.Prompted;
        switch (DifficultyDetection.Of(group))
        {
            case GroupDifficulty.Solved:
                Sender.Tell(Settle(group, Settlement.Solved));
                break;
            case GroupDifficulty.Unjudged:
                Sender.Tell(Settle(group, Settlement.Unjudged));
                break;
            case GroupDifficulty.Hard when !prompted.HasSolution:
                Sender.Tell(Settle(group, Settlement.NoSolution));
                break;
            default:
                AskForHint(group, Sender);
                break;
        }
    }

    private void AskForHint(VerifiedGroup group, IActorRef replyTo)
    {
        GroupAttempt failed = group.Rollout.Prompted.Attempt;
        int tokens = group.Rollout.Completions.Sum(completion => completion.Tokens.Length);
        _hints.Ask<object>(new HintProtocol.RaiseHint(failed, tokens), _patience).PipeTo(
            replyTo,
            success: answer => answer switch
            {
                HintProtocol.HintGiven given => new Escalated(given.Next),
                HintProtocol.LadderExhausted => Settle(group, Settlement.Unsolved),
                _ => new Status.Failure(new InvalidOperationException($"The hint schedule answered {answer} for group {failed.Group}.")),
            },
            failure: cause => new Status.Failure(cause));
    }

    private static Settled Settle(VerifiedGroup group, Settlement settlement)
    {
        RolloutGroup rollout = group.Rollout;
        PromptedGroup prompted = rollout.Prompted;
        GroupAttempt attempt = prompted.Attempt;
        ImmutableArray<TrainingSample> samples = [.. rollout.Completions.Zip(
            group.Judgements, (completion, judgement) => new TrainingSample(completion, judgement.Verdict, judgement.Format) { OwnScore = judgement.OwnScore })];
        return new Settled(new SettledGroup(
            attempt.Group,
            attempt.Problem,
            settlement,
            attempt.Attempt,
            attempt.HintRatio,
            prompted.HintShortened,
            prompted.Prompt,
            prompted.UnhintedPrompt,
            samples,
            attempt.TokensSpent,
            rollout.Epoch,
            rollout.Version), rollout.Worker);
    }
}
