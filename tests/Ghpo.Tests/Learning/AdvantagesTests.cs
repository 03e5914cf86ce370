using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Learning;

public sealed class AdvantagesTests
{
    [Fact]
    public void One_right_answer_of_four_stands_out_by_the_unbiased_deviation()
    {
        // Rewards 1 0 0 0: mean 0.25, squares 0.5625 + 3 · 0.0625 = 0.75, deviation √(0.75 / 3) = 0.5.
        // Â = 0.75 / 0.5001 = 1.499700…, −0.25 / 0.5001 = −0.499900…
        double[] advantages = Advantages.Of([1, 0, 0, 0], normalizeByDeviation: true);

        Assert.Equal(1.4997000599880024, advantages[0], 12);
        Assert.All(advantages[1..], advantage => Assert.Equal(-0.4999000199960008, advantage, 12));
    }

    [Fact]
    public void Without_normalization_advantages_are_only_centred()
    {
        Assert.Equal([0.75, -0.25, -0.25, -0.25], Advantages.Of([1, 0, 0, 0], normalizeByDeviation: false));
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(1.1)]
    public void Equal_rewards_give_exact_zeros_even_where_their_mean_rounds(double reward)
    {
        double[] rewards = [.. Enumerable.Repeat(reward, 7)];

        Assert.All(Advantages.Of(rewards, normalizeByDeviation: true), advantage => Assert.Equal(0.0, advantage));
    }

    [Fact]
    public void A_single_answer_has_no_advantage()
    {
        Assert.Equal([0.0], Advantages.Of([1], normalizeByDeviation: true));
    }

    [Theory]
    [InlineData(Verdict.Correct, FinishReason.Length, false, true)]
    [InlineData(Verdict.Truncated, FinishReason.Length, false, true)]
    [InlineData(Verdict.Truncated, FinishReason.Length, true, false)]
    [InlineData(Verdict.Correct, FinishReason.Length, true, false)]
    [InlineData(Verdict.Malformed, FinishReason.Stopped, true, true)]
    [InlineData(Verdict.Unverifiable, FinishReason.Stopped, false, false)]
    [InlineData(Verdict.VerifierFailed, FinishReason.Stopped, false, false)]
    public void An_answer_counts_if_it_was_judged_and_not_masked(Verdict verdict, FinishReason finish, bool maskTruncated, bool counts)
    {
        var sample = new TrainingSample(new Completion([1], [-1f], finish), verdict, Format: true);

        Assert.Equal(counts, Advantages.Counts(sample, maskTruncated));
    }
}
