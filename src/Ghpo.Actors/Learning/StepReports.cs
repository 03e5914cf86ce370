using Ghpo.Inspection;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Learning;

/// <summary>What a step's report is computed from beside its groups.</summary>
/// <param name="Version">Version after the step.</param>
/// <param name="TokensBefore">Completion tokens sampled for the steps before.</param>
/// <param name="LevelOf">Difficulty of a problem, "" where unknown.</param>
/// <param name="Workers">Workers that sampled the groups, as far as this process knows; null: it knows of none.</param>
public sealed record StepContext(
    int Step, PolicyVersion Version, long Epoch, long TokensBefore, double RolloutSeconds, double StepSeconds, RewardSettings Rewards, Func<ProblemId, string> LevelOf, int? Workers);

/// <summary>Sums a step up. Everything is measured at the level each group settled at.</summary>
public static class StepReports
{
    /// <param name="groups">The step's groups, sorted by group.</param>
    public static StepReport Of(StepContext context, IReadOnlyList<SettledGroup> groups, StepMetrics learning)
    {
        List<TrainingSample> samples = [.. groups.SelectMany(group => group.Samples)];
        List<TrainingSample> judged = [.. samples.Where(Counts)];
        long trainedTokens = samples.Sum(sample => (long)sample.Completion.Tokens.Length);
        long extraTokens = groups.Sum(group => (long)group.ExtraTokens);
        return new StepReport(
            context.Step,
            context.Version,
            context.Epoch,
            groups.Count,
            samples.Count,
            Mean(judged, sample => Rewards.Of(sample, context.Rewards)),
            Mean(judged, Correct),
            Mean(groups, group => group is { Settlement: Settlement.Solved, HintRatio: 0 } ? 1 : 0),
            Accuracy(groups.Where(group => group.HintRatio == 0)),
            Accuracy(groups.Where(group => group.HintRatio > 0)),
            Mean(samples, sample => sample.Format ? 1 : 0),
            [.. groups.Where(group => group.Settlement == Settlement.Solved)
                .GroupBy(group => group.HintRatio)
                .OrderBy(level => level.Key)
                .Select(level => new SettledAt(level.Key, level.Count()))],
            groups.Count(group => group.Settlement == Settlement.Unsolved),
            groups.Count(group => group.Settlement == Settlement.NoSolution),
            groups.Count(group => group.Settlement == Settlement.Unjudged),
            groups.Count(group => group.HintShortened),
            [.. samples.GroupBy(sample => sample.Verdict)
                .OrderBy(verdict => verdict.Key)
                .Select(verdict => new VerdictCount(verdict.Key, verdict.Count()))],
            trainedTokens + extraTokens,
            extraTokens,
            Mean(samples, sample => sample.Completion.Tokens.Length),
            context.TokensBefore + trainedTokens + extraTokens,
            context.RolloutSeconds,
            context.StepSeconds,
            learning,
            Origin(context, groups));
    }

    private static StepOrigin Origin(StepContext context, IReadOnlyList<SettledGroup> groups) => new(
        [.. groups.Where(group => group.Samples.Any(Counts))
            .GroupBy(group => context.LevelOf(group.Problem))
            .OrderBy(level => level.Key, LevelOrder.Instance)
            .Select(level => new LevelAccuracy(level.Key, level.Count(), Accuracy(level)!.Value))],
        Mean(groups, group => context.Step - group.Version.Value),
        groups.Count == 0 ? 0 : groups.Max(group => context.Step - group.Version.Value),
        context.Workers);

    private static bool Counts(TrainingSample sample) => sample.Verdict.Counts();

    private static double Correct(TrainingSample sample) => sample.Verdict == Verdict.Correct ? 1 : 0;

    private static double? Accuracy(IEnumerable<SettledGroup> groups)
    {
        List<TrainingSample> judged = [.. groups.SelectMany(group => group.Samples).Where(Counts)];
        return judged.Count == 0 ? null : Mean(judged, Correct);
    }

    /// <summary>0 over nothing: a step whose answers could not be judged at all is rare, and its counts say so.</summary>
    private static double Mean<T>(IReadOnlyCollection<T> items, Func<T, double> value) => items.Count == 0 ? 0 : items.Average(value);
}
