using System.Globalization;
using Ghpo.Rollout;

namespace Ghpo.Learning;

/// <summary>What the learner decides from its state and settings alone.</summary>
internal static class LearnerDecisions
{
    /// <summary>Why the run is over; null while it is not.</summary>
    internal static string? Completion(LearnerSettings settings, LearnerState state) =>
        state.NextStep >= settings.Steps
            ? string.Create(CultureInfo.InvariantCulture, $"all {settings.Steps} steps are taken")
            : settings.TokenBudget > 0 && state.TotalRolloutTokens >= settings.TokenBudget
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{state.TotalRolloutTokens} rollout tokens are sampled, the budget is {settings.TokenBudget}")
                : null;

    /// <param name="covered">The first step that no checkpoint known to be whole covers.</param>
    /// <param name="last">No step follows.</param>
    internal static bool CheckpointDue(LearnerSettings settings, LearnerState state, int covered, bool last) =>
        covered < state.NextStep && (last || state.NextStep % settings.Checkpoints.EverySteps == 0);

    /// <param name="complete">The run is over, and not merely stopped.</param>
    internal static bool EvaluationDue(LearnerSettings settings, LearnerState state, bool complete) =>
        settings.Evaluation.Enabled
        && !state.IsEvaluated(state.Version)
        && (complete
            || state.NextStep == 0
            || (settings.Evaluation.EverySteps > 0 && state.NextStep % settings.Evaluation.EverySteps == 0));

    /// <summary>True if a step may be sampled under <paramref name="published"/>: version ≥ step − η.</summary>
    internal static bool MayOpen(LearnerSettings settings, int step, PolicyVersion published) =>
        published.Value >= step - settings.Staleness;

    /// <summary>Why a group that has not settled yet cannot settle as it is; null if it can.</summary>
    internal static string? Refusal(LearnerSettings settings, LearnerState state, PolicyVersion published, SettledGroup group) =>
        group.Epoch != state.Epoch
            ? $"it was sampled in epoch {group.Epoch}, and epoch {state.Epoch} has begun"
            : group.Version > published
                ? $"it was sampled under {group.Version}, which epoch {state.Epoch} has not published"
                : !MayOpen(settings, group.Group.Step, group.Version)
                    ? $"it was sampled under {group.Version}, which is more than {settings.Staleness} behind its step {group.Group.Step}"
                    : group.Group.Index < 0 || group.Group.Index >= settings.GroupsPerStep || group.Group.Step >= settings.Steps
                        ? $"the run has {settings.Steps} steps of {settings.GroupsPerStep} groups"
                        : null;
}
