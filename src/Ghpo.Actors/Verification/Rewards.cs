using Ghpo.Learning;

namespace Ghpo.Verification;

/// <summary>R = w_accuracy · [verdict is Correct] + w_format · [form is right] (GHPO: 1.0 and 0.5).</summary>
public static class Rewards
{
    /// <exception cref="ArgumentException">
    /// The verdict is about the verifier, not the answer: it has no reward, and its answer takes no part in advantages.
    /// </exception>
    public static double Of(Verdict verdict, bool format, RewardSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (verdict is Verdict.Unverifiable or Verdict.VerifierFailed)
        {
            throw new ArgumentException($"An answer judged {verdict} has no reward; leave it out.", nameof(verdict));
        }

        return (verdict == Verdict.Correct ? settings.AccuracyWeight : 0) + (format ? settings.FormatWeight : 0);
    }

    public static double Of(TrainingSample sample, RewardSettings settings)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return Of(sample.Verdict, sample.Format, settings);
    }
}
