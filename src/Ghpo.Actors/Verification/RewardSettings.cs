using System.ComponentModel.DataAnnotations;

namespace Ghpo.Verification;

/// <summary>ghpo.rewards</summary>
public sealed record RewardSettings(
    [property: Range(0.0, 1000.0)] double AccuracyWeight, [property: Range(0.0, 1000.0)] double FormatWeight, FormatRule Format);

/// <summary>The form that a completion must have to earn the format reward.</summary>
public enum FormatRule
{
    None,
    ThinkAnswer,
    Boxed,
}
