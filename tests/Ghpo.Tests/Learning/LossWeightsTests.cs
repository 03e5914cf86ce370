using Ghpo.Learning;
using Ghpo.Learning.Losses;
using Ghpo.Rollout;
using Xunit;

namespace Ghpo.Tests.Learning;

/// <summary>Two groups of two answers, of 1, 3 and 2, 4 tokens. The rewards of the second group are equal.</summary>
public sealed class LossWeightsTests
{
    private static readonly TrainingRow[] Rows = [Row(1, 1, true), Row(3, -1, true), Row(2, 0, false), Row(4, 0, false)];

    [Fact]
    public void Grpo_gives_every_answer_the_same_share()
    {
        // 1 / (4 answers · tokens).
        Assert.Equal([1.0 / 4, 1.0 / 12, 1.0 / 8, 1.0 / 16], LossWeights.Of(LossKind.Grpo, Rows, maxNewTokens: 20));
    }

    [Fact]
    public void Bnpo_gives_every_token_the_same_share()
    {
        // 1 + 3 + 2 + 4 = 10 tokens.
        Assert.Equal([0.1, 0.1, 0.1, 0.1], LossWeights.Of(LossKind.Bnpo, Rows, maxNewTokens: 20));
    }

    [Fact]
    public void Dr_grpo_divides_by_a_constant()
    {
        // 4 answers · 20 tokens.
        Assert.Equal([0.0125, 0.0125, 0.0125, 0.0125], LossWeights.Of(LossKind.DrGrpo, Rows, maxNewTokens: 20));
    }

    [Fact]
    public void Dapo_counts_only_the_tokens_of_groups_that_teach()
    {
        // 1 + 3 = 4 tokens.
        Assert.Equal([0.25, 0.25, 0, 0], LossWeights.Of(LossKind.Dapo, Rows, maxNewTokens: 20));
    }

    [Theory]
    [InlineData(LossKind.Grpo)]
    [InlineData(LossKind.Bnpo)]
    [InlineData(LossKind.DrGrpo)]
    [InlineData(LossKind.Dapo)]
    public void Nothing_to_train_on_gives_no_weights_and_no_division_by_zero(LossKind loss)
    {
        Assert.Empty(LossWeights.Of(loss, [], maxNewTokens: 20));
        Assert.All(LossWeights.Of(loss, [Row(0, 1, true)], maxNewTokens: 20), weight => Assert.True(double.IsFinite(weight)));
    }

    private static TrainingRow Row(int tokens, double advantage, bool groupDiffers) => new(
        [1],
        new Completion([.. Enumerable.Repeat(2, tokens)], [.. Enumerable.Repeat(-1f, tokens)], FinishReason.Stopped),
        advantage,
        groupDiffers,
        OldPolicy.Learner,
        CorrectsStaleness: false);
}
