using System.Collections.Immutable;
using Ghpo.Learning;
using static Ghpo.Inspection.RunEvents;

namespace Ghpo.Inspection;

/// <summary>What a watcher knows of a run: a fold over its events.</summary>
/// <param name="Recent">The newest steps, oldest first, at most <see cref="Window"/>.</param>
/// <param name="StepsDone">Steps committed since the run began, earlier sessions included.</param>
public sealed record RunProgress(
    RunStarted? Run,
    ImmutableList<StepReport> Recent,
    int StepsDone,
    PipelineProgress? Pipeline,
    EvaluationResult? Measured,
    RunEnded? Ended)
{
    /// <summary>Steps that the remaining time is estimated from.</summary>
    public const int Window = 20;

    public static RunProgress None { get; } = new(null, [], 0, null, null, null);

    public StepReport? LastStep => Recent.Count > 0 ? Recent[^1] : null;

    /// <summary>Share of the run that is done, in [0, 1], by steps or by tokens, whichever is further.</summary>
    public double Fraction => Run is null ? 0 : Math.Min(1, Math.Max(
        Run.Steps > 0 ? (double)StepsDone / Run.Steps : 0,
        Run.TokenBudget > 0 && LastStep is { } step ? (double)step.TotalRolloutTokens / Run.TokenBudget : 0));

    /// <summary>Time to the last step at the pace of the recent ones; null until there is one.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            if (Run is null || LastStep is not { } last)
            {
                return null;
            }

            double steps = Run.Steps - StepsDone;
            double tokensAStep = Recent.Average(step => (double)step.RolloutTokens);
            if (Run.TokenBudget > 0 && tokensAStep > 0)
            {
                steps = Math.Min(steps, Math.Max(0, Run.TokenBudget - last.TotalRolloutTokens) / tokensAStep);
            }

            return TimeSpan.FromSeconds(Math.Max(0, steps) * Recent.Average(step => step.StepSeconds));
        }
    }

    public RunProgress Apply(object runEvent) => runEvent switch
    {
        RunStarted started => this with { Run = started, StepsDone = started.NextStep },
        StepCompleted completed => this with
        {
            Recent = (Recent.Count < Window ? Recent : Recent.RemoveAt(0)).Add(completed.Report),
            StepsDone = completed.Report.Step + 1,
        },
        // What a user has changed since is in force for the learner.
        PipelineProgress pipeline => this with
        {
            Pipeline = pipeline,
            Run = Run is null ? null : Run with { Steps = pipeline.Steps ?? Run.Steps, TokenBudget = pipeline.TokenBudget ?? Run.TokenBudget },
        },
        PolicyMeasured measured => this with { Measured = measured.Result },
        RunEnded ended => this with { Ended = ended },
        _ => this,
    };
}
