using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Verification;

public sealed class RewardTests
{
    private static readonly Problem Seven = new(new ProblemId("p"), "?", "7", null, "");

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100, 0)]
    [InlineData(125, -0.25)]
    [InlineData(150, -0.5)]
    [InlineData(200, -1)]
    [InlineData(5_000, -1)]
    public void Length_costs_nothing_then_linearly_more_then_all(int tokens, double penalty) =>
        Assert.Equal(penalty, Rewards.LengthPenalty(tokens, new LengthRewardSettings(1, SoftLimit: 100, HardLimit: 200)), 12);

    [Fact]
    public void A_reward_adds_accuracy_form_length_and_the_users_own_score_by_their_weights()
    {
        var settings = new RewardSettings(1, 0.5, FormatRule.Boxed, new LengthRewardSettings(0.2, 2, 4), new OwnRewardSettings("", 10, TimeSpan.FromSeconds(1)));
        var sample = new TrainingSample(new Completion([1, 2, 3], [0, 0, 0], FinishReason.Stopped), Verdict.Correct, true) { OwnScore = 0.3 };
        Assert.Equal(1 + 0.5 - (0.2 * 0.5) + 3, Rewards.Of(sample, settings), 12);
    }

    [Fact]
    public void A_reward_of_the_users_own_is_found_by_its_name_and_scores_the_answer()
    {
        Judgement judgement = Judge(Load(typeof(LengthOfAnswer)), @"\boxed{123}");
        Assert.Equal((Verdict.Wrong, 3.0), (judgement.Verdict, judgement.OwnScore));
    }

    [Theory]
    [InlineData(typeof(Throwing), "Throwing threw InvalidOperationException: no")]
    [InlineData(typeof(NotANumber), "NotANumber returned NaN")]
    [InlineData(typeof(Hanging), "Hanging took longer than 50 ms")]
    public void One_that_throws_hangs_or_returns_no_number_is_a_failure_of_the_verifier_not_of_the_answer(Type reward, string reason)
    {
        Judgement judgement = Judge(Load(reward), @"\boxed{7}");
        Assert.Equal((Verdict.VerifierFailed, reason, false), (judgement.Verdict, judgement.Reason, judgement.Counts));
    }

    [Fact]
    public void One_that_hangs_again_and_again_is_given_up()
    {
        IsolatedReward reward = Load(typeof(Hanging));
        string[] reasons = [.. Enumerable.Range(0, IsolatedReward.MaxAbandoned + 1).Select(_ => Judge(reward, @"\boxed{7}").Reason)];
        Assert.Contains("not called any more", reasons[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("No.Such.Type, Nowhere", "no such type")]
    [InlineData("System.String", "must implement IAnswerReward")]
    public void A_name_that_is_no_reward_is_the_users_error(string name, string problem)
    {
        UserErrorException error = Assert.Throws<UserErrorException>(() => IsolatedReward.Load(new OwnRewardSettings(name, 1, TimeSpan.FromSeconds(1))));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    private static IsolatedReward Load(Type type) => IsolatedReward.Load(new OwnRewardSettings(type.AssemblyQualifiedName!, 1, TimeSpan.FromMilliseconds(50)))!;

    private static Judgement Judge(IsolatedReward reward, string completion) =>
        new AnswerVerifier(AnswerMarker.Any, FormatRule.None, own: reward).Judge(completion, FinishReason.Stopped, Seven);

    public sealed class LengthOfAnswer : IAnswerReward
    {
        public double Score(AnsweredProblem answer) => answer.Answer?.Length ?? 0;
    }

    public sealed class Throwing : IAnswerReward
    {
        public double Score(AnsweredProblem answer) => throw new InvalidOperationException("no");
    }

    public sealed class NotANumber : IAnswerReward
    {
        public double Score(AnsweredProblem answer) => double.NaN;
    }

    public sealed class Hanging : IAnswerReward
    {
        public double Score(AnsweredProblem answer)
        {
            Thread.Sleep(2_000);
            return 1;
        }
    }
}
