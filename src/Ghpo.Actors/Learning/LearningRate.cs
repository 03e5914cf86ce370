namespace Ghpo.Learning;

/// <summary>The learning rate of each step.</summary>
/// <param name="Steps">S, the steps that the schedule spans.</param>
public sealed record LearningRate(double Peak, RateSchedule Schedule, double WarmUpRatio, int Steps)
{
    /// <summary>
    /// Rate of step s, counted from 0, with W = ⌈warm-up ratio · S⌉ steps of warm-up:
    /// <code>
    ///   η(s) = peak · (s + 1) / W                              s &lt; W
    ///   η(s) = peak · ½ (1 + cos(π (s − W) / (S − W)))         W ≤ s &lt; S, cosine
    ///   η(s) = peak                                            W ≤ s, constant
    /// </code>
    /// The first step already moves (s + 1), and a cosine is 0 from step S on.
    /// </summary>
    public double At(int step)
    {
        int warmUp = (int)Math.Ceiling(WarmUpRatio * Steps);
        if (step < warmUp)
        {
            return Peak * (step + 1) / warmUp;
        }

        if (Schedule == RateSchedule.Constant)
        {
            return Peak;
        }

        return step >= Steps ? 0 : Peak * 0.5 * (1 + Math.Cos(Math.PI * (step - warmUp) / (Steps - warmUp)));
    }
}
