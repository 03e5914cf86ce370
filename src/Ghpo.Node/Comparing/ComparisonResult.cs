using System.Text.Json.Serialization;

namespace Ghpo.Node.Comparing;

/// <summary>Held-out accuracy of one trial.</summary>
/// <param name="Tokens">Completion tokens that it sampled.</param>
internal sealed record TrialResult(string Arm, long Seed, double Before, double After, int Steps, long Tokens);

/// <summary>An arm over its seeds.</summary>
/// <param name="After">Held-out accuracy after training.</param>
/// <param name="Gain">After less before, paired by seed.</param>
internal sealed record ArmResult(string Arm, MeanEstimate After, MeanEstimate Gain);

/// <summary>Accuracy of an arm less that of the baseline, over the seeds that both have, paired by seed.</summary>
internal sealed record ArmDifference(string Arm, string Baseline, IReadOnlyList<double> BySeed, MeanEstimate Difference);

/// <summary>What a comparison found. The first arm is the baseline of the differences.</summary>
internal sealed record ComparisonResult(
    string Name,
    long TokenBudget,
    IReadOnlyList<TrialResult> Trials,
    IReadOnlyList<ArmResult> Arms,
    IReadOnlyList<ArmDifference> Differences,
    IReadOnlyList<string> Missing)
{
    /// <param name="arms">In the order of the plan; those without any result are left out.</param>
    /// <param name="missing">Names of the trials that have no result.</param>
    public static ComparisonResult Of(
        string name, long tokenBudget, IReadOnlyList<string> arms, IReadOnlyList<TrialResult> trials, IReadOnlyList<string> missing)
    {
        TrialResult[][] byArm =
        [
            .. arms.Select(arm => trials.Where(trial => trial.Arm == arm).OrderBy(trial => trial.Seed).ToArray()).Where(results => results.Length > 0),
        ];
        ArmResult[] results =
        [
            .. byArm.Select(results => new ArmResult(
                results[0].Arm,
                After: MeanEstimate.Of([.. results.Select(result => result.After)]),
                Gain: MeanEstimate.Of([.. results.Select(result => result.After - result.Before)]))),
        ];
        var differences = new List<ArmDifference>();
        foreach (TrialResult[] others in byArm.Skip(1))
        {
            double[] bySeed =
            [
                .. others.Join(byArm[0], other => other.Seed, baseline => baseline.Seed, (other, baseline) => other.After - baseline.After),
            ];
            if (bySeed.Length > 0)
            {
                differences.Add(new ArmDifference(others[0].Arm, byArm[0][0].Arm, bySeed, MeanEstimate.Of(bySeed)));
            }
        }

        return new ComparisonResult(name, tokenBudget, trials, results, differences, missing);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ComparisonResult))]
internal sealed partial class ComparisonJson : JsonSerializerContext;
