namespace Ghpo.Node.Top;

/// <summary>A curve in one line of text.</summary>
internal static class Sparkline
{
    private const string Heights = "▁▂▃▄▅▆▇█";

    /// <summary>The newest values that fit, from the lowest of them to the highest; a value that is no number is a gap.</summary>
    public static string Of(IReadOnlyList<double> values, int width)
    {
        double[] shown = [.. values.TakeLast(width)];
        double[] finite = [.. shown.Where(double.IsFinite)];
        if (finite.Length == 0)
        {
            return "";
        }

        (double low, double high) = (finite.Min(), finite.Max());
        return string.Concat(shown.Select(value => !double.IsFinite(value) ? ' '
            : high == low ? Heights[Heights.Length / 2]
            : Heights[(int)Math.Round((value - low) / (high - low) * (Heights.Length - 1))]));
    }
}
