using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Learning;

/// <summary>A step's groups as rows to train on, in the order of groups and answers.</summary>
/// <param name="Rows">Answers that count. Answers without a verdict, and groups that could not be judged, have none.</param>
/// <param name="Groups">Groups with at least one row.</param>
/// <param name="ZeroAdvantageGroups">Those of them whose advantages are all zero.</param>
internal sealed record TrainingBatch(IReadOnlyList<TrainingRow> Rows, int Groups, int ZeroAdvantageGroups)
{
    /// <summary>
    /// Ratio and context of a row follow from three questions, r = π_θ(o | context) / π_old:
    /// <code>
    ///   hinted-context     context of a hinted group     π_old                     staleness weight min(π_old / π_sampler, cap)
    ///   sampled            prompt it was sampled under   learner at step start     if sampled by an older version
    ///   unhinted-prompt    prompt without hint           learner at step start     never (the sampler saw another prompt)
    ///   ratio-corrected    prompt without hint           sampler, with its hint    never (the ratio holds it already)
    /// </code>
    /// A group without hint is trained as under <c>sampled</c>.
    /// </summary>
    /// <exception cref="ArgumentException">Groups out of order, twice, or sampled by a later version than the learner's.</exception>
    public static TrainingBatch Of(
        IReadOnlyList<SettledGroup> groups, PolicyVersion current, LearningSettings learning, RewardSettings rewards)
    {
        var rows = new List<TrainingRow>();
        int trained = 0;
        int withoutSignal = 0;
        for (int g = 0; g < groups.Count; g++)
        {
            SettledGroup group = groups[g];
            Check(group, g == 0 ? null : groups[g - 1], current);
            TrainingSample[] samples = group.Settlement == Settlement.Unjudged
                ? []
                : [.. group.Samples.Where(sample => Advantages.Counts(sample, learning.MaskTruncated))];
            if (samples.Length == 0)
            {
                continue;
            }

            double[] advantages = Advantages.Of(
                [.. samples.Select(sample => Rewards.Of(sample, rewards))],
                learning.NormalizeByDeviation && learning.Loss != LossKind.DrGrpo);
            bool differs = advantages.Any(advantage => advantage != 0);
            trained++;
            withoutSignal += differs ? 0 : 1;

            bool hinted = !group.UnhintedPrompt.IsDefaultOrEmpty;
            HintedContext context = hinted ? learning.HintedContext : HintedContext.Sampled;
            for (int i = 0; i < samples.Length; i++)
            {
                rows.Add(new TrainingRow(
                    context == HintedContext.Sampled ? group.Prompt : group.UnhintedPrompt,
                    samples[i].Completion,
                    advantages[i],
                    differs,
                    context == HintedContext.RatioCorrected ? OldPolicy.Sampler : OldPolicy.Learner,
                    context == HintedContext.Sampled && group.Version < current));
            }
        }

        return new TrainingBatch(rows, trained, withoutSignal);
    }

    private static void Check(SettledGroup group, SettledGroup? previous, PolicyVersion current)
    {
        if (previous is not null && previous.Group >= group.Group)
        {
            throw new ArgumentException($"Group {group.Group} follows group {previous.Group}: groups of a step are trained in the order of their ids.");
        }

        if (group.Version > current)
        {
            throw new ArgumentException($"Group {group.Group} was sampled under policy {group.Version}, but the learner holds {current}.");
        }

        foreach (TrainingSample sample in group.Samples)
        {
            Completion completion = sample.Completion;
            if (completion.Tokens.Length != completion.LogProbs.Length)
            {
                throw new ArgumentException(
                    $"Group {group.Group} has an answer of {completion.Tokens.Length} tokens with {completion.LogProbs.Length} log-probabilities.");
            }
        }
    }
}
