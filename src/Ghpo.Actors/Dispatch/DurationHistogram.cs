namespace Ghpo.Dispatch;

/// <summary>Counts durations in classes that grow by a tenth, from a microsecond to three hours: quantiles within 5 % in a fixed place. Not thread-safe.</summary>
internal sealed class DurationHistogram
{
    private const double Growth = 1.1;
    private const double Least = 1e-6;

    private readonly long[] _counts = new long[245];

    public long Count { get; private set; }

    public void Add(TimeSpan duration)
    {
        double classes = Math.Log(Math.Max(Least, duration.TotalSeconds) / Least, Growth);
        _counts[Math.Min(_counts.Length - 1, (int)classes)]++;
        Count++;
    }

    /// <summary>The middle of the class that the q-th part of all durations reaches; zero without any.</summary>
    public TimeSpan Quantile(double q)
    {
        long rank = (long)Math.Ceiling(q * Count);
        long seen = 0;
        for (int i = 0; Count > 0; i++)
        {
            seen += _counts[i];
            if (seen >= Math.Max(1, rank))
            {
                return TimeSpan.FromSeconds(Least * Math.Pow(Growth, i + 0.5));
            }
        }

        return TimeSpan.Zero;
    }
}
