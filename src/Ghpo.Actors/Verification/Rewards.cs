using Ghpo.Learning;

namespace Ghpo.Verification;

/// <summary>
/// R = w_accuracy · [verdict is Correct] + w_format · [form is right] + w_length · L(tokens) + w_own · s (GHPO: 1.0 and 0.5, the rest 0). s is the score of
/// the user's own reward.
/// </summary>
public static class Rewards
{
    /// <exception cref="ArgumentException">
    /// The verdict is about the verifier, not the answer: it has no reward, and its answer takes no part in advantages.
    /// </exception>
    public static double Of(Verdict verdict, bool format, RewardSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (!verdict.Counts())
        {
            throw new ArgumentException($"An answer judged {verdict} has no reward; leave it out.", nameof(verdict));
        }

        return (verdict == Verdict.Correct ? settings.AccuracyWeight : 0) + (format ? settings.FormatWeight : 0);
    }

    public static double Of(TrainingSample sample, RewardSettings settings)
    {
        ArgumentNullException.ThrowIfNull(sample);
        ArgumentNullException.ThrowIfNull(settings);
        return Of(sample.Verdict, sample.Format, settings)
            + (settings.Length.Weight * LengthPenalty(sample.Completion.Tokens.Length, settings.Length))
            + (settings.Own.Weight * sample.OwnScore);
    }

    /// <summary>
    /// L = 0 up to the soft limit S, (S − n) / (H − S) between the limits, −1 from the hard limit H on: the soft overlong punishment of DAPO
    /// (arXiv 2503.14476, eq. 13), with S = L_max − L_cache and H = L_max.
    /// </summary>
    /// <param name="tokens">n, tokens of the completion.</param>
    public static double LengthPenalty(int tokens, LengthRewardSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return tokens <= settings.SoftLimit ? 0
            : tokens >= settings.HardLimit ? -1
            : (settings.SoftLimit - tokens) / (double)(settings.HardLimit - settings.SoftLimit);
    }
}
