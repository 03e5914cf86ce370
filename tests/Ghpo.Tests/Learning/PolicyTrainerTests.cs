using System.Collections.Immutable;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Rollout;
using Ghpo.Verification;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Learning;

public sealed class PolicyTrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ghpo-trainer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(LossKind.Grpo)]
    [InlineData(LossKind.Bnpo)]
    [InlineData(LossKind.DrGrpo)]
    [InlineData(LossKind.Dapo)]
    public void The_gradient_does_not_depend_on_the_cut_into_micro_batches(LossKind loss)
    {
        // The norm before clipping stands for the gradient; plain rates make the weights follow it.
        LearningSettings settings = Samples.Learning with { Loss = loss, KlBeta = 0.05, Rate = 0 };
        using PolicyTrainer whole = Trainer(settings with { MicroBatchTokens = 100_000 });
        using PolicyTrainer cut = Trainer(settings with { MicroBatchTokens = 30 });

        StepMetrics one = whole.Train(Samples.Step(0, 0));
        StepMetrics many = cut.Train(Samples.Step(0, 0));

        Assert.True(one.GradientNorm > 0.01, $"a gradient of {one.GradientNorm} shows nothing");
        Assert.Equal(one.GradientNorm, many.GradientNorm, 1e-5 * one.GradientNorm);
        Assert.Equal(one.Loss, many.Loss, 1e-5);
        Assert.Equal(one.Entropy, many.Entropy, 1e-4);
    }

    [Fact]
    public void A_small_step_changes_the_loss_by_what_the_gradient_says()
    {
        // Adam's first step with ε far above |g| is −η g / ε: the loss Σ a Â log π must fall by η ‖g‖² / ε to first order.
        const double Epsilon = 1000;
        const double Rate = 0.1;
        LearningSettings settings = Samples.Learning with { Rate = Rate, AdamEpsilon = Epsilon, WeightDecay = 0, MaxGradientNorm = 0, NormalizeByDeviation = false };
        using LoadedModel model = Samples.FreshModel(_folder);
        using var trainer = new PolicyTrainer(model, settings, Samples.Rewards, temperature: 0.7, maxNewTokens: 8, totalSteps: 10, evaluation: null);
        IReadOnlyList<SettledGroup> groups = Samples.Step(0, 0);
        double before = WeightedLogProbs(model.Decoder, groups, settings, 0.7);

        StepMetrics metrics = trainer.Train(groups);

        double change = WeightedLogProbs(model.Decoder, groups, settings, 0.7) - before;
        double predicted = Rate * metrics.GradientNorm * metrics.GradientNorm / Epsilon;
        Assert.True(predicted > 1e-5, $"a predicted change of {predicted} drowns in rounding");
        Assert.Equal(predicted, change, 0.02 * predicted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_same_groups_from_the_same_state_give_the_same_bits(int threads)
    {
        TorchThreads.UseOnThisThread(threads);
        try
        {
            Assert.Equal(HashAfter(steps: 3), HashAfter(steps: 3));
        }
        finally
        {
            TorchThreads.UseOnThisThread(1);
        }

        string HashAfter(int steps)
        {
            using PolicyTrainer trainer = Trainer(Samples.Learning with { KlBeta = 0.1, MicroBatchTokens = 60 });
            for (int step = 0; step < steps; step++)
            {
                trainer.Train(Samples.Step(step, step));
            }

            using PolicySnapshot snapshot = trainer.TakeSnapshot(epoch: 1);
            return snapshot.Hash;
        }
    }

    [Fact]
    public void A_step_without_any_advantage_has_no_gradient_and_counts_as_a_step()
    {
        using PolicyTrainer trainer = Trainer(Samples.Learning with { WeightDecay = 0 });
        SettledGroup[] flat = [Samples.Group(0, [Verdict.Wrong, Verdict.Wrong]), Samples.Group(1, [Verdict.Correct, Verdict.Correct])];
        using PolicySnapshot before = trainer.TakeSnapshot(1);

        StepMetrics metrics = trainer.Train(flat);

        using PolicySnapshot after = trainer.TakeSnapshot(1);
        Assert.Equal((0.0, 1.0, 0L), (metrics.GradientNorm, metrics.ZeroAdvantageShare, metrics.TrainedTokens));
        Assert.Equal(new PolicyVersion(1), trainer.Version);
        Assert.Equal(before.Hash, after.Hash);
    }

    [Fact]
    public void Momentum_goes_on_through_a_step_without_any_advantage()
    {
        using PolicyTrainer trainer = Trainer(Samples.Learning);
        trainer.Train(Samples.Step(0, 0));
        using PolicySnapshot before = trainer.TakeSnapshot(1);

        trainer.Train([Samples.Group(0, [Verdict.Wrong, Verdict.Wrong], step: 1, version: 1)]);

        using PolicySnapshot after = trainer.TakeSnapshot(1);
        Assert.NotEqual(before.Hash, after.Hash);
    }

    [Fact]
    public void Training_makes_the_better_answer_likelier()
    {
        using LoadedModel model = Samples.FreshModel(_folder);
        using var trainer = new PolicyTrainer(model, Samples.Learning, Samples.Rewards, 1, 8, totalSteps: 50, evaluation: null);
        double before = Preference();
        for (int step = 0; step < 20; step++)
        {
            trainer.Train([Samples.Group(0, [Verdict.Correct, Verdict.Wrong], step, step)]);
        }

        Assert.True(Preference() > before + 1, $"from {before} to {Preference()}");

        double Preference()
        {
            SettledGroup group = Samples.Group(0, [Verdict.Correct, Verdict.Wrong]);
            return LogProb(model.Decoder, group, 0, 1) - LogProb(model.Decoder, group, 1, 1);
        }
    }

    [Theory]
    [InlineData(1.0, 1.0)]
    [InlineData(1.5, 1.5)]
    [InlineData(4.0, 2.0)]
    public void A_stale_group_weighs_as_its_likelihood_under_the_learner_says_up_to_the_cap(double likelihoodRatio, double weight)
    {
        LearningSettings settings = Samples.Learning with { Rate = 0, ImportanceCap = 2 };
        using LoadedModel model = Samples.FreshModel(_folder);
        using var trainer = new PolicyTrainer(model, settings, Samples.Rewards, 1, 8, totalSteps: 10, evaluation: null);
        SettledGroup group = Samples.Group(0, [Verdict.Correct, Verdict.Wrong, Verdict.Wrong], hinted: true);
        double fresh = trainer.Train([group]).GradientNorm;

        // The learner is at version 1 now, with the same weights, and the sampler found its answers 1 / ratio as likely.
        StepMetrics stale = trainer.Train([SampledWith(model.Decoder, group, group.Prompt, likelihoodRatio)]);

        Assert.Equal(weight * fresh, stale.GradientNorm, 1e-3 * fresh);
        Assert.Equal(0, stale.ClipFraction);
    }

    [Theory]
    [InlineData(HintedContext.RatioCorrected, 1.1, 1.1)]
    [InlineData(HintedContext.UnhintedPrompt, 1.1, 1.0)]
    public void Only_the_corrected_ratio_knows_the_prompt_that_a_hinted_group_was_sampled_under(
        HintedContext context, double likelihoodRatio, double weight)
    {
        LearningSettings settings = Samples.Learning with { Rate = 0 };
        using LoadedModel model = Samples.FreshModel(_folder);
        using var plain = new PolicyTrainer(model, settings, Samples.Rewards, 1, 8, totalSteps: 10, evaluation: null);
        using PolicyTrainer trainer = Trainer(settings with { HintedContext = context });
        SettledGroup hinted = Samples.Group(0, [Verdict.Correct, Verdict.Wrong, Verdict.Wrong], hinted: true);
        double unhinted = plain.Train([hinted with { Prompt = hinted.UnhintedPrompt, UnhintedPrompt = [] }]).GradientNorm;

        StepMetrics metrics = trainer.Train([SampledWith(model.Decoder, hinted, hinted.UnhintedPrompt, likelihoodRatio)]);

        Assert.Equal(weight * unhinted, metrics.GradientNorm, 1e-3 * unhinted);
    }

    [Fact]
    public void Several_passes_keep_the_starting_policy_in_the_ratio()
    {
        // With a rate this high the second pass sees ratios outside of the clip range; a denominator that followed the weights would not.
        using PolicyTrainer once = Trainer(Samples.Learning with { Rate = 0.02 });
        using PolicyTrainer twice = Trainer(Samples.Learning with { Rate = 0.02, Iterations = 2 });

        Assert.Equal(0, once.Train(Samples.Step(0, 0)).ClipFraction);
        Assert.True(twice.Train(Samples.Step(0, 0)).ClipFraction > 0.05);
        Assert.Equal(new PolicyVersion(1), twice.Version);
    }

    [Fact]
    public void The_kl_of_the_untrained_policy_is_zero_and_grows_with_training()
    {
        using PolicyTrainer trainer = Trainer(Samples.Learning with { KlBeta = 0.1, Rate = 0.01 });

        Assert.Equal(0, trainer.Train(Samples.Step(0, 0)).Kl, 1e-7);
        Assert.True(trainer.Train(Samples.Step(1, 1)).Kl > 1e-4);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_stops_training_before_it_reaches_the_weights()
    {
        using LoadedModel model = Samples.FreshModel(_folder);
        using var trainer = new PolicyTrainer(model, Samples.Learning, Samples.Rewards, 1, 8, totalSteps: 10, evaluation: null);
        using PolicySnapshot before = trainer.TakeSnapshot(1);
        using (no_grad())
        {
            model.Decoder.named_parameters().First(named => named.name == "model.norm.weight").parameter.fill_(float.NaN);
        }

        DivergedException error = Assert.Throws<DivergedException>(() => trainer.Train(Samples.Step(0, 0)));

        Assert.Equal(0, error.Step);
        Assert.Contains("NaN", error.Message);
        Assert.Equal(new PolicyVersion(0), trainer.Version);
        using PolicySnapshot after = trainer.TakeSnapshot(1);
        foreach ((string name, Tensor weight) in after.Weights.Where(weight => weight.Key != "model.norm.weight"))
        {
            Assert.True(weight.eq(before.Weights[name]).all().item<bool>(), $"{name} has moved");
        }
    }

    [Fact]
    public void Training_leaks_no_tensors()
    {
        using PolicyTrainer trainer = Trainer(Samples.Learning with { KlBeta = 0.1, Iterations = 2, MicroBatchTokens = 60 });
        trainer.Train(Samples.Step(0, 0));
        trainer.Train(Samples.Step(1, 1));
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int step = 2; step < 6; step++)
        {
            trainer.Train(Samples.Step(step, step));
            trainer.TakeSnapshot(1).Dispose();
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private PolicyTrainer Trainer(LearningSettings settings) =>
        new(Samples.FreshModel(_folder), settings, Samples.Rewards, temperature: 1, maxNewTokens: 8, totalSteps: 10, evaluation: null);

    /// <summary>Σ a_i Â_i Σ_t log π, computed row by row without any of the trainer's batching: its gradient is minus the loss's on policy.</summary>
    private static double WeightedLogProbs(Decoder decoder, IReadOnlyList<SettledGroup> groups, LearningSettings settings, double temperature)
    {
        double tokens = groups.Sum(group => group.Samples.Sum(sample => Advantages.Counts(sample, false) ? sample.Completion.Tokens.Length : 0));
        double sum = 0;
        foreach (SettledGroup group in groups)
        {
            int[] counting = [.. Enumerable.Range(0, group.Samples.Length).Where(i => Advantages.Counts(group.Samples[i], false))];
            double[] advantages = Advantages.Of([.. counting.Select(i => Rewards.Of(group.Samples[i], Samples.Rewards))], settings.NormalizeByDeviation);
            sum += counting.Select((i, k) => advantages[k] == 0 ? 0 : advantages[k] * LogProb(decoder, group, i, temperature)).Sum() / tokens;
        }

        return sum;
    }

    /// <summary>The group as a sampler would have left it that found each token 1 / <paramref name="ratio"/> as likely as the decoder finds it behind the prompt.</summary>
    private static SettledGroup SampledWith(Decoder decoder, SettledGroup group, ImmutableArray<int> prompt, double ratio) => group with
    {
        Samples =
        [
            .. group.Samples.Select(sample => sample with
            {
                Completion = sample.Completion with
                {
                    LogProbs = [.. LogProbs(decoder, prompt, sample.Completion.Tokens, 1).Select(value => (float)(value - Math.Log(ratio)))],
                },
            }),
        ],
    };

    private static double LogProb(Decoder decoder, SettledGroup group, int sample, double temperature) =>
        LogProbs(decoder, group.Prompt, group.Samples[sample].Completion.Tokens, temperature).Sum();

    private static double[] LogProbs(Decoder decoder, ImmutableArray<int> prompt, ImmutableArray<int> completion, double temperature)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        long[] ids = [.. prompt.Concat(completion).Select(token => (long)token)];
        Tensor logits = decoder.Logits(decoder.Hidden(tensor(ids).unsqueeze(0))).squeeze(0).to(ScalarType.Float64) / temperature;
        Tensor distribution = logits.log_softmax(-1);
        return [.. completion.Select((token, t) => distribution[prompt.Length + t - 1, token].item<double>())];
    }
}
