using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Learning;

public sealed class TrainingBatchTests
{
    [Theory]
    [InlineData(HintedContext.Sampled)]
    [InlineData(HintedContext.UnhintedPrompt)]
    [InlineData(HintedContext.RatioCorrected)]
    internal void Each_hinted_context_trains_its_prompt_with_its_ratio(HintedContext context)
    {
        SettledGroup hinted = Samples.Group(0, [Verdict.Correct, Verdict.Wrong], hinted: true);
        SettledGroup plain = Samples.Group(1, [Verdict.Correct, Verdict.Wrong]);

        TrainingBatch batch = Batch([hinted, plain], version: 1, Samples.Learning with { HintedContext = context });

        TrainingRow ofHinted = batch.Rows[0];
        Assert.Equal(context == HintedContext.Sampled ? hinted.Prompt : hinted.UnhintedPrompt, ofHinted.Prompt);
        Assert.Equal(context == HintedContext.RatioCorrected ? OldPolicy.Sampler : OldPolicy.Learner, ofHinted.Old);
        Assert.Equal(context == HintedContext.Sampled, ofHinted.CorrectsStaleness);
        Assert.Equal(plain.Prompt, batch.Rows[2].Prompt);
        Assert.Equal(OldPolicy.Learner, batch.Rows[2].Old);
        Assert.True(batch.Rows[2].CorrectsStaleness);
    }

    [Fact]
    public void An_answer_that_was_not_judged_is_in_no_mean_and_in_no_row()
    {
        SettledGroup group = Samples.Group(0, [Verdict.Correct, Verdict.VerifierFailed, Verdict.Wrong, Verdict.Unverifiable]);

        TrainingBatch batch = Batch([group], version: 0, Samples.Learning with { NormalizeByDeviation = false });

        // Rewards 1.5 (right, in form) and 0: mean 0.75.
        Assert.Equal([0.75, -0.75], batch.Rows.Select(row => row.Advantage));
        Assert.Equal([group.Samples[0].Completion, group.Samples[2].Completion], batch.Rows.Select(row => row.Completion));
    }

    [Fact]
    public void Masking_leaves_cut_answers_out_of_mean_and_loss()
    {
        SettledGroup group = Samples.Group(0, [Verdict.Correct, Verdict.Truncated, Verdict.Wrong]);

        Assert.Equal(3, Batch([group], 0, Samples.Learning).Rows.Count);
        Assert.Equal(2, Batch([group], 0, Samples.Learning with { MaskTruncated = true }).Rows.Count);
    }

    [Fact]
    public void An_unjudged_group_trains_nothing_and_is_in_no_share()
    {
        SettledGroup unjudged = Samples.Group(0, [Verdict.Correct, Verdict.Wrong], settlement: Settlement.Unjudged);
        SettledGroup allWrong = Samples.Group(1, [Verdict.Wrong, Verdict.Wrong], settlement: Settlement.Unsolved);

        TrainingBatch batch = Batch([unjudged, allWrong], 0, Samples.Learning);

        Assert.Equal((2, 1, 1), (batch.Rows.Count, batch.Groups, batch.ZeroAdvantageGroups));
    }

    [Fact]
    public void Dr_grpo_never_divides_by_the_deviation()
    {
        SettledGroup group = Samples.Group(0, [Verdict.Correct, Verdict.Wrong]);

        Assert.Equal([0.75, -0.75], Batch([group], 0, Samples.Learning with { Loss = LossKind.DrGrpo }).Rows.Select(row => row.Advantage));
    }

    [Fact]
    public void Groups_out_of_order_are_refused()
    {
        SettledGroup first = Samples.Group(0, [Verdict.Wrong]);
        SettledGroup second = Samples.Group(1, [Verdict.Wrong]);

        Assert.Contains("0/0 follows group 0/1", Assert.Throws<ArgumentException>(() => Batch([second, first], 0, Samples.Learning)).Message);
        Assert.Throws<ArgumentException>(() => Batch([first, first], 0, Samples.Learning));
    }

    [Fact]
    public void A_group_of_a_later_policy_than_the_learners_is_refused()
    {
        SettledGroup group = Samples.Group(0, [Verdict.Wrong], version: 3);

        Assert.Contains("v3", Assert.Throws<ArgumentException>(() => Batch([group], version: 2, Samples.Learning)).Message);
    }

    private static TrainingBatch Batch(IReadOnlyList<SettledGroup> groups, int version, LearningSettings settings) =>
        TrainingBatch.Of(groups, new PolicyVersion(version), settings, Samples.Rewards);
}
