using Akka.Actor;
using Ghpo.Curriculum;
using Ghpo.Difficulty;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Tests.Journal;
using Ghpo.Tests.Learning;
using Ghpo.Tests.Problems;
using Ghpo.Tests.Runs;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Dispatch;

public sealed class AnswerVerifierActorTests : IDisposable
{
    private const int Poison = 13;
    private static readonly Problem Problem = new(new ProblemId("p"), "What is it?", "7", "It is 7.", "");

    private readonly ActorSystem _system = ActorSystem.Create("verifier-tests", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF");
    private readonly ITokenizer _tokenizer = new FailingTokenizer(new ByteTokenizer(), tokens => tokens[0] == Poison);

    public void Dispose() => _system.Dispose();

    [Fact]
    public async Task A_verifier_that_throws_judges_the_other_answers_of_the_group_and_says_what_was_thrown()
    {
        VerifiedGroup verified = await Verify("\\boxed{7}", null, "\\boxed{8}");

        Assert.Equal([Verdict.Correct, Verdict.VerifierFailed, Verdict.Wrong], verified.Judgements.Select(judgement => judgement.Verdict));
        Assert.Equal("this answer cannot be decoded", verified.Judgements[1].Reason);
        Assert.Equal(GroupDifficulty.Solved, DifficultyDetection.Of(verified));
    }

    [Fact]
    public async Task An_answer_whose_verifier_failed_is_no_row_of_the_batch_and_moves_no_advantage()
    {
        TrainingBatch with = Batch(await Verify("\\boxed{7}", null, "\\boxed{8}"));
        TrainingBatch without = Batch(await Verify("\\boxed{7}", "\\boxed{8}"));

        Assert.Equal(2, with.Rows.Count);
        Assert.Equal(without.Rows.Select(row => row.Advantage), with.Rows.Select(row => row.Advantage));
    }

    [Fact]
    public async Task A_group_of_which_no_answer_could_be_judged_is_not_hard_but_unjudged()
    {
        VerifiedGroup verified = await Verify(null, null);

        Assert.Equal(GroupDifficulty.Unjudged, DifficultyDetection.Of(verified));
        Assert.Empty(Batch(verified).Rows);
    }

    /// <param name="answers">Null: one that the verifier trips over.</param>
    private async Task<VerifiedGroup> Verify(params string?[] answers)
    {
        var verifier = new AnswerVerifier(AnswerMarker.Any, FormatRule.None);
        var problems = new Dictionary<ProblemId, Problem> { [Problem.Id] = Problem };
        IActorRef actor = _system.ActorOf(Props.Create(() => new AnswerVerifierActor(problems, _tokenizer, verifier)));
        var prompted = new PromptedGroup(new GroupAttempt(new GroupId(0, 0), Problem.Id, 0, 0), [1, 2], [], 0, false, true);
        Completion[] completions = [.. answers.Select(answer =>
        {
            int[] tokens = answer is null ? [Poison, 1] : [.. _tokenizer.EncodeText(answer)];
            return new Completion([.. tokens], [.. tokens.Select(_ => -1f)], FinishReason.Stopped);
        })];
        return await actor.Answer<VerifiedGroup>(new VerifyGroup(new RolloutGroup(prompted, [.. completions], 1, new PolicyVersion(0), "worker")));
    }

    private static TrainingBatch Batch(VerifiedGroup verified) => TrainingBatch.Of(
        [
            new SettledGroup(
                new GroupId(0, 0), Problem.Id, Settlement.Solved, 0, 0, false, [1, 2], [],
                [.. verified.Rollout.Completions.Zip(verified.Judgements, (completion, judgement) =>
                    new TrainingSample(completion, judgement.Verdict, judgement.Format))],
                0, 1, new PolicyVersion(0)),
        ],
        new PolicyVersion(0),
        Samples.Learning,
        Samples.Rewards);
}
