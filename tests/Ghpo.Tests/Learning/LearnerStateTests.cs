using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Learning;

public sealed class LearnerStateTests
{
    [Fact]
    public void Groups_in_any_order_of_arrival_and_repeated_give_the_same_state() =>
        Prop.ForAll<int>(seed =>
        {
            GroupSettled[] groups = [.. Enumerable.Range(0, 3).SelectMany(step => Enumerable.Range(0, 4).Select(index =>
                new GroupSettled(LearnerFixtures.Group(step, index))))];
            GroupSettled[] shuffled = [.. groups, .. groups];
            new Random(seed).Shuffle(shuffled);
            LearnerState state = shuffled.Aggregate(LearnerState.Empty, (state, settled) => state.Apply(settled));
            return Bytes(state) == Bytes(groups.Aggregate(LearnerState.Empty, (state, settled) => state.Apply(settled)))
                && state.GroupsOf(1).Keys.SequenceEqual([0, 1, 2, 3]);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_committed_step_stays_committed_whatever_comes_late()
    {
        LearnerState committed = LearnerState.Empty
            .Apply(new EpochStarted(1, default))
            .Apply(new GroupSettled(LearnerFixtures.Group(0, 0)))
            .Apply(LearnerFixtures.Committed(0));
        LearnerState late = committed
            .Apply(new GroupSettled(LearnerFixtures.Group(0, 0, attempt: 1)))
            .Apply(new GroupSettled(LearnerFixtures.Group(0, 1)))
            .Apply(LearnerFixtures.Committed(0, "other"));

        Assert.Equal(Bytes(committed), Bytes(late));
        Assert.Equal((1, new PolicyVersion(1), "aa"), (late.NextStep, late.Version, late.CommittedHashes[0]));
    }

    [Fact]
    public void What_a_checkpoint_covers_is_forgotten_and_what_it_does_not_cover_is_kept()
    {
        LearnerState state = LearnerState.Empty;
        for (int step = 0; step < 3; step++)
        {
            state = state.Apply(new GroupSettled(LearnerFixtures.Group(step, 0))).Apply(LearnerFixtures.Committed(step));
        }

        state = state.Apply(new CheckpointTaken(2, "checkpoints/step-000002", "cc"));

        Assert.Equal([2], state.Settled.Keys);
        Assert.Equal([2], state.CommittedHashes.Keys);
        Assert.Equal(2, state.CheckpointStep);
        Assert.True(state.HasSettled(new(0, 0)));
    }

    [Theory]
    [InlineData(2, 5, 5, 0, null)]
    [InlineData(1, 5, 5, 0, "epoch 1")]
    [InlineData(2, 4, 5, 0, "more than 0 behind")]
    [InlineData(2, 4, 5, 1, null)]
    [InlineData(2, 3, 5, 1, "more than 1 behind")]
    [InlineData(2, 6, 5, 1, "not published")]
    [InlineData(2, 5, 9, 4, "9 steps")]
    public void A_group_of_another_epoch_or_too_old_a_policy_is_refused(long epoch, int version, int step, int staleness, string? reason)
    {
        var settings = new LearnerSettings(
            9, 0, 4, staleness, "run", LearnerFixtures.Rewards, new CheckpointSettings(1, 1), new EvaluationSettings(false, 0, 0, 1));
        LearnerState state = LearnerState.Empty with { Epoch = 2, NextStep = 5 };

        string? refusal = LearnerDecisions.Refusal(
            settings, state, new PolicyVersion(5), LearnerFixtures.Group(step, 0, version, epoch: epoch));

        if (reason is null)
        {
            Assert.Null(refusal);
        }
        else
        {
            Assert.Contains(reason, refusal, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_step_report_adds_up_by_hand()
    {
        Completion completion = new([1, 2, 3], [-1, -1, -1], FinishReason.Stopped);
        ImmutableArray<TrainingSample> Samples(params (Verdict Verdict, bool Format)[] samples) =>
            [.. samples.Select(sample => new TrainingSample(completion, sample.Verdict, sample.Format))];
        SettledGroup plain = LearnerFixtures.Group(4, 0) with
        {
            Samples = Samples((Verdict.Correct, true), (Verdict.Wrong, false)),
        };
        SettledGroup hinted = LearnerFixtures.Group(4, 1, attempt: 2, ratio: 0.5) with
        {
            Samples = Samples((Verdict.Correct, false), (Verdict.VerifierFailed, true)),
            ExtraTokens = 100,
            HintShortened = true,
        };
        SettledGroup unsolved = LearnerFixtures.Group(4, 2, attempt: 3, ratio: 0.75, settlement: Settlement.Unsolved) with
        {
            Samples = Samples((Verdict.Wrong, true), (Verdict.Truncated, false)),
            ExtraTokens = 50,
        };
        var context = new StepContext(4, new PolicyVersion(5), 2, 1000, 1.5, 2.5, LearnerFixtures.Rewards, problem => problem.Value == "p2" ? "10" : "9", Workers: 2);

        var report = StepReports.Of(context, [plain, hinted, unsolved], LearnerFixtures.Metrics(4));

        // Rewards 1 + 0.5 · format over the five judged answers: 1.5 + 0 + 1 + 0.5 + 0.
        Assert.Equal(3.0 / 5, report.MeanReward, 12);
        Assert.Equal(2.0 / 5, report.Accuracy, 12);
        Assert.Equal(1.0 / 3, report.FirstAttemptSolved, 12);
        Assert.Equal(0.5, report.UnhintedAccuracy);
        Assert.Equal(1.0 / 3, report.HintedAccuracy!.Value, 12);
        Assert.Equal(3.0 / 6, report.FormatShare, 12);
        Assert.Equal([new(0, 1), new(0.5, 1)], report.Settled);
        Assert.Equal((1, 0, 0, 1), (report.Unsolved, report.NoSolution, report.Unjudged, report.HintsShortened));
        Assert.Equal([new(Verdict.Correct, 2), new(Verdict.Wrong, 2), new(Verdict.Truncated, 1), new(Verdict.VerifierFailed, 1)], report.Verdicts);
        Assert.Equal((168L, 150L, 1168L), (report.RolloutTokens, report.ExtraTokens, report.TotalRolloutTokens));
        Assert.Equal(3, report.MeanCompletionTokens);
        // Of the nines 2 answers of 3 that count are correct; version 0 is four steps behind.
        Assert.Equal([new("9", 2, 2.0 / 3), new("10", 1, 0)], report.Origin!.Levels);
        Assert.Equal((4.0, 4, 2), (report.Origin.MeanStaleness, report.Origin.MostStaleness, report.Origin.Workers));
    }

    private static string Bytes(LearnerState state) => Convert.ToHexString(new GhpoEventSerializer(null).ToBinary(state));
}
