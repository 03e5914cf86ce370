using System.Globalization;
using Ghpo.Configuration;

namespace Ghpo.Node.Comparing;

/// <summary>One way of training in a comparison: a strategy, and the settings that are its own.</summary>
/// <param name="Name">Its name in tables and folders.</param>
/// <param name="Strategy">A value of ghpo.hints.strategy.</param>
internal sealed record Arm(string Name, string Strategy)
{
    /// <summary>Reads <c>ladder</c>, or <c>name=ladder</c> for a further variant of a strategy.</summary>
    public static Arm Parse(string text) => text.Split('=', 2, StringSplitOptions.TrimEntries) is [var name, var strategy]
        ? new Arm(name, strategy)
        : new Arm(text.Trim(), text.Trim());
}

/// <summary>One run of a comparison: an arm under a seed, with all its settings.</summary>
internal sealed record Trial(Arm Arm, long Seed, GhpoSettings Settings)
{
    /// <summary>Its run's name.</summary>
    public string Name => Settings.Run.Name;

    public static string NameOf(Arm arm, long seed) => string.Create(CultureInfo.InvariantCulture, $"{arm.Name}-seed-{seed}");
}
