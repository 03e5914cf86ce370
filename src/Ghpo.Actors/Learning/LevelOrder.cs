using System.Globalization;

namespace Ghpo.Learning;

/// <summary>Names of difficulties as people count them: numbers by size, then words by their letters.</summary>
public sealed class LevelOrder : IComparer<string>
{
    public static LevelOrder Instance { get; } = new();

    public int Compare(string? x, string? y) => (Number(x), Number(y)) switch
    {
        ({ } left, { } right) when left != right => left.CompareTo(right),
        ({ }, null) => -1,
        (null, { }) => 1,
        _ => string.CompareOrdinal(x, y),
    };

    private static double? Number(string? name) =>
        double.TryParse(name, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out double number) ? number : null;
}
