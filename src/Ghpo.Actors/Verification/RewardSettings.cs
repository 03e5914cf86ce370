using System.ComponentModel.DataAnnotations;

namespace Ghpo.Verification;

/// <summary>ghpo.rewards</summary>
public sealed record RewardSettings(
    [property: Range(0.0, 1000.0)] double AccuracyWeight,
    [property: Range(0.0, 1000.0)] double FormatWeight,
    FormatRule Format,
    LengthRewardSettings Length,
    OwnRewardSettings Own);

/// <summary>ghpo.rewards.length</summary>
/// <param name="Weight">0 turns it off.</param>
/// <param name="SoftLimit">Tokens up to which an answer costs nothing.</param>
/// <param name="HardLimit">Tokens from which it costs the whole weight.</param>
public sealed record LengthRewardSettings(
    [property: Range(0.0, 1000.0)] double Weight, [property: Range(0, int.MaxValue)] int SoftLimit, [property: Range(1, int.MaxValue)] int HardLimit)
{
    public static readonly LengthRewardSettings Off = new(0, 0, 1);
}

/// <summary>ghpo.rewards.own</summary>
/// <param name="Type">Assembly-qualified name of an <see cref="IAnswerReward"/>, "" for none.</param>
/// <param name="Timeout">Longest time that one score may take.</param>
public sealed record OwnRewardSettings(string Type, [property: Range(-1000.0, 1000.0)] double Weight, TimeSpan Timeout)
{
    public static readonly OwnRewardSettings None = new("", 0, TimeSpan.FromSeconds(1));
}

/// <summary>The form that a completion must have to earn the format reward.</summary>
public enum FormatRule
{
    None,
    ThinkAnswer,
    Boxed,
}
