using System.ComponentModel.DataAnnotations;

namespace Ghpo.Hints;

/// <summary>ghpo.hints</summary>
/// <param name="Levels">Hint ratios ω in (0, 1), rising.</param>
public sealed record HintSettings(
    HintStrategy Strategy,
    IReadOnlyList<double> Levels,
    [property: Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)] double FixedRatio,
    HintUnit Unit,
    [property: Range(0, int.MaxValue)] int ColdStartSteps);

/// <summary>The settings of groups of a step and of later ones.</summary>
public sealed record HintSettingsFrom(int Step, HintSettings Settings);

/// <summary>When a hint is given and how its length is set.</summary>
public enum HintStrategy
{
    /// <summary>GRPO: never.</summary>
    None,

    /// <summary>GHPO: climb through the levels while all answers are wrong.</summary>
    Ladder,

    /// <summary>One hint of a fixed ratio for a problem whose answers are all wrong.</summary>
    Fixed,

    /// <summary>The ladder, begun one level below the one that last solved the problem.</summary>
    Memory,
}

/// <summary>What a hint ratio counts.</summary>
public enum HintUnit
{
    Characters,
    Tokens,
    Steps,
}
