using System.Collections.Immutable;
using System.Globalization;
using Ghpo.Curriculum;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Tests.Learning;

/// <summary>Groups as a rollout would return them: a function of (group, attempt, version), like the real one.</summary>
internal static class LearnerFixtures
{
    internal static SettledGroup Group(
        int step, int index, int version = 0, int attempt = 0, double ratio = 0, long epoch = 1, Settlement settlement = Settlement.Solved) =>
        Group(new GroupId(step, index), new ProblemId($"p{index}"), version, attempt, ratio, epoch, settlement);

    internal static SettledGroup Group(
        GroupId id, ProblemId problem, int version, int attempt, double ratio, long epoch, Settlement settlement)
    {
        var random = new SplitMix64(
            SplitMix64.Mix((ulong)((id.Step * 1_000_003) + (id.Index * 1009) + (attempt * 31) + version)));
        ImmutableArray<TrainingSample> samples =
        [
            .. Enumerable.Range(0, 2).Select(sample => new TrainingSample(
                new Completion(
                    [.. Enumerable.Range(0, 3 + sample).Select(_ => random.Below(1000))],
                    [.. Enumerable.Range(0, 3 + sample).Select(_ => -random.Below(1000) / 300f)],
                    FinishReason.Stopped),
                settlement == Settlement.Solved && sample == 0 ? Verdict.Correct : Verdict.Wrong,
                Format: sample == 0)),
        ];
        return new SettledGroup(
            id, problem, settlement, attempt, ratio, false, [1, 2, 3, id.Index], ratio > 0 ? [1, 2] : [], samples, attempt * 5, epoch, new PolicyVersion(version));
    }

    internal static StepMetrics Metrics(int step) => new(0.5, 1e-4, 1.5, 0.7, 0, 0, 0.25, 14, 30, step);

    internal static LearnerProtocol.StepCommitted Committed(int step, string hash = "aa", long total = 14) => new(
        step,
        new PolicyVersion(step + 1),
        hash,
        StepReports.Of(
            new StepContext(step, new PolicyVersion(step + 1), 1, total - 7, 1, 2, Rewards, _ => "3", 1),
            [Group(step, 0, step)],
            Metrics(step)));

    internal static TrainerProtocol.Train Train(int step, long epoch) =>
        new(step, epoch, [Group(0, 0)], Ghpo.Configuration.SettingsBinder.Load(null, []).Learning, TotalSteps: 10);

    internal static RewardSettings Rewards { get; } = new(1, 0.5, FormatRule.None, LengthRewardSettings.Off, OwnRewardSettings.None);

    internal static string Name(this double number) => number.ToString(CultureInfo.InvariantCulture);
}
