using System.Globalization;

namespace Ghpo.Bench;

/// <summary>Ratios of rounds, of which the median is told with the least and the greatest.</summary>
internal sealed class Ratios
{
    private readonly List<double> _sorted = [];

    /// <returns>The ratio.</returns>
    public double Add(double measured, double against)
    {
        double ratio = measured / against;
        int place = _sorted.BinarySearch(ratio);
        _sorted.Insert(place < 0 ? ~place : place, ratio);
        return ratio;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_sorted[_sorted.Count / 2]:F2} ({_sorted[0]:F2} to {_sorted[^1]:F2})");
}
