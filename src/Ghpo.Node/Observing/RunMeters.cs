using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Node.Reporting;
using Ghpo.Observability;
using Ghpo.Verification;
using static Ghpo.Inspection.RunEvents;

namespace Ghpo.Node.Observing;

/// <summary>What a run tells, as metrics. Like every observer it works on the watcher's time and costs the run nothing.</summary>
internal sealed class RunMeters : IRunObserver
{
    public void Observe(object runEvent, RunProgress progress)
    {
        switch (runEvent)
        {
            case StepCompleted completed:
                Count(completed.Report);
                break;
            case PolicyMeasured measured:
                GhpoMeters.HeldOutAccuracy.Record(measured.Result.Accuracy);
                break;
            case CheckpointWritten:
                GhpoMeters.Checkpoints.Add(1);
                break;
            case PipelineProgress pipeline:
                foreach (StageDepth stage in pipeline.Stages)
                {
                    GhpoMeters.StageGroups.Record(stage.Groups, Tag(GhpoMeters.Stage, stage.Stage));
                }

                break;
            case RunStarted:
                GhpoMeters.Stalled.Record(0);
                Begin();
                break;
            case Stalled stalled:
                GhpoMeters.Stalled.Record(stalled.Over ? 0 : 1);
                GhpoMeters.Stalls.Add(stalled.Over ? 0 : 1);
                break;
            case WorkersSeen seen:
                foreach (WorkerState state in Enum.GetValues<WorkerState>())
                {
                    GhpoMeters.Workers.Record(seen.View.Workers.Count(worker => worker.State == state), Tag(GhpoMeters.WorkerState, SettingsSchema.Kebab(state.ToString())));
                }

                break;
            default:
                break;
        }
    }

    public void Dispose()
    {
    }

    /// <summary>Whoever asks how much a counter grew must see it before it grows.</summary>
    private static void Begin()
    {
        GhpoMeters.Steps.Add(0);
        GhpoMeters.Stalls.Add(0);
        GhpoMeters.Checkpoints.Add(0);
        foreach (Verdict verdict in Enum.GetValues<Verdict>())
        {
            GhpoMeters.Answers.Add(0, Tag(GhpoMeters.Verdict, SettingsSchema.Kebab(verdict.ToString())));
        }
    }

    private static void Count(StepReport step)
    {
        GhpoMeters.Steps.Add(1);
        GhpoMeters.StepDuration.Record(step.StepSeconds);
        GhpoMeters.RolloutDuration.Record(step.RolloutSeconds);
        GhpoMeters.LearningDuration.Record(step.Learning.Seconds);
        foreach (SettledAt settled in step.Settled)
        {
            GhpoMeters.Groups.Add(settled.Groups, Tag(GhpoMeters.Settlement, "solved"), Tag(GhpoMeters.HintRatio, settled.HintRatio));
        }

        GhpoMeters.Groups.Add(step.Unsolved, Tag(GhpoMeters.Settlement, "unsolved"));
        GhpoMeters.Groups.Add(step.NoSolution, Tag(GhpoMeters.Settlement, "no-solution"));
        GhpoMeters.Groups.Add(step.Unjudged, Tag(GhpoMeters.Settlement, "unjudged"));
        foreach (VerdictCount verdict in step.Verdicts)
        {
            GhpoMeters.Answers.Add(verdict.Samples, Tag(GhpoMeters.Verdict, SettingsSchema.Kebab(verdict.Verdict.ToString())));
        }

        GhpoMeters.Tokens.Add(step.RolloutTokens - step.ExtraTokens, Tag(GhpoMeters.TokenUse, "trained"));
        GhpoMeters.Tokens.Add(step.ExtraTokens, Tag(GhpoMeters.TokenUse, "dropped"));
        GhpoMeters.LearnerTokens.Add(step.Learning.ProcessedTokens);
        GhpoMeters.Reward.Record(step.MeanReward);
        GhpoMeters.Accuracy.Record(step.Accuracy);
        GhpoMeters.HintShare.Record(step.HintShare());
        if (step.Origin is { } origin)
        {
            GhpoMeters.Staleness.Record(origin.MeanStaleness);
        }

        GhpoMeters.GradientNorm.Record(step.Learning.GradientNorm);
        if (step.Entropy() is { } entropy)
        {
            GhpoMeters.Entropy.Record(entropy);
        }

        GhpoMeters.LearningRate.Record(step.Learning.LearningRate);
        GhpoMeters.PolicyVersion.Record(step.Version.Value);
    }

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);
}
