using System.Globalization;

namespace Ghpo.Inspection;

/// <summary>Figures derived from a step's report, and how figures are shown everywhere.</summary>
public static class StepFigures
{
    /// <summary>Completion tokens sampled a second, lower hint levels included.</summary>
    public static double RolloutTokensPerSecond(this StepReport step) => PerSecond(step.RolloutTokens, step.RolloutSeconds);

    /// <summary>Prompt and completion tokens passed through the learner's model a second.</summary>
    public static double LearnerTokensPerSecond(this StepReport step) => PerSecond(step.Learning.ProcessedTokens, step.Learning.Seconds);

    /// <summary>Mean entropy over the tokens that were trained on, nats; null where no group had an advantage, so that none was.</summary>
    public static double? Entropy(this StepReport step) => step.Learning.ProcessedTokens > 0 ? step.Learning.Entropy : null;

    /// <summary>
    /// How the step's groups ended, as shares of all its groups: solved at each hint ratio, then the rest; empty kinds of the rest left out.
    /// </summary>
    public static IEnumerable<(string Name, double Share)> Settlements(this StepReport step)
    {
        double groups = Math.Max(1, step.Groups);
        foreach (SettledAt settled in step.Settled)
        {
            yield return (Percent(settled.HintRatio), settled.Groups / groups);
        }

        yield return ("unsolved", step.Unsolved / groups);
        if (step.NoSolution > 0)
        {
            yield return ("no solution", step.NoSolution / groups);
        }

        if (step.Unjudged > 0)
        {
            yield return ("unjudged", step.Unjudged / groups);
        }
    }

    /// <summary>Share of the groups that were not solved without a hint.</summary>
    public static double HintShare(this StepReport step) => 1 - (step.Settled.Where(settled => settled.HintRatio == 0).Sum(settled => settled.Groups) / (double)Math.Max(1, step.Groups));

    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.#} %");

    public static string Count(double number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A dash where there is none.</summary>
    public static string Figure(double? number) => number is { } known ? Figure(known) : "–";

    public static string Figure(double number) => number.ToString("0.000", CultureInfo.InvariantCulture);

    public static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");

    private static double PerSecond(long tokens, double seconds) => seconds > 0 ? tokens / seconds : 0;
}
