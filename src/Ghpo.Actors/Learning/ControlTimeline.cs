using System.Collections.Immutable;
using Ghpo.Configuration;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Learning;

/// <summary>
/// The settings of a run from step to step: those that it was started with, and over them the journalled controls, each from the step on that it took
/// effect with, a later one over an earlier one.
/// <code>
///   settings(s) = started ⊕ { control : control.FromStep ≤ s }, in the order of the journal
/// </code>
/// </summary>
public sealed record ControlTimeline(GhpoSettings Started, ImmutableList<ControlApplied> Controls)
{
    /// <summary>With every control, whatever step it waits for.</summary>
    public GhpoSettings Newest => At(int.MaxValue);

    /// <summary>What step <paramref name="step"/> is learned with, and its groups are hinted by.</summary>
    public GhpoSettings At(int step) => Controls.Where(control => control.FromStep <= step).Aggregate(Started, (settings, control) =>
        LiveSettings.With(settings, new SettingOverride(control.Key, control.Value, $"control {control.Key} from step {control.FromStep}")));

    /// <summary>The steps at which the settings change.</summary>
    public IEnumerable<int> Changes => Controls.Select(control => control.FromStep).Distinct().Order();
}

/// <summary>A change of a setting that a user asks for.</summary>
/// <param name="Key">Full path.</param>
/// <param name="Value">As it would stand in a file.</param>
/// <param name="By">Who.</param>
/// <param name="At">When he asked. A request that is repeated, by a team that starts again, is told by it.</param>
public sealed record ControlRequest(string Key, string Value, string By, DateTimeOffset At);
