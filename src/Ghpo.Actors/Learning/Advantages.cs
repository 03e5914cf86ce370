using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Learning;

/// <summary>How much better an answer is than its group (GRPO, Shao et al. 2024, arXiv 2402.03300, section 4.1.2).</summary>
public static class Advantages
{
    /// <summary>Added to the deviation, so that a group of nearly equal rewards is not blown up.</summary>
    public const double DeviationOffset = 1e-4;

    /// <summary>
    /// Advantages of one group's answers, from the rewards R of the answers that count:
    /// <code>
    ///   Â_i = (R_i − mean R) / (std R + 1e-4)     std unbiased (n − 1)
    ///   Â_i =  R_i − mean R                       without normalization
    /// </code>
    /// Equal rewards give exact zeros, and so does a single one.
    /// </summary>
    public static double[] Of(ReadOnlySpan<double> rewards, bool normalizeByDeviation)
    {
        var advantages = new double[rewards.Length];
        if (!Differ(rewards))
        {
            return advantages;
        }

        double sum = 0;
        foreach (double reward in rewards)
        {
            sum += reward;
        }

        double mean = sum / rewards.Length;
        double squares = 0;
        for (int i = 0; i < rewards.Length; i++)
        {
            advantages[i] = rewards[i] - mean;
            squares += advantages[i] * advantages[i];
        }

        if (normalizeByDeviation)
        {
            double deviation = Math.Sqrt(squares / (rewards.Length - 1));
            for (int i = 0; i < advantages.Length; i++)
            {
                advantages[i] /= deviation + DeviationOffset;
            }
        }

        return advantages;
    }

    /// <summary>
    /// True if an answer takes part in its group's advantages and in the loss: a verdict was reached, and the answer is not one that
    /// <c>learning.mask-truncated</c> leaves out.
    /// </summary>
    public static bool Counts(TrainingSample sample, bool maskTruncated) =>
        sample.Verdict.Counts()
        && !(maskTruncated && sample.Completion.Finish == FinishReason.Length);

    // Compared, not subtracted: the mean of equal rewards may be off by a rounding, which the division would turn into a gradient.
    private static bool Differ(ReadOnlySpan<double> rewards)
    {
        foreach (double reward in rewards)
        {
            if (reward != rewards[0])
            {
                return true;
            }
        }

        return false;
    }
}
