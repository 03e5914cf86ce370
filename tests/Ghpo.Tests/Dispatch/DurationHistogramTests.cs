using Ghpo.Dispatch;
using Xunit;

namespace Ghpo.Tests.Dispatch;

public sealed class DurationHistogramTests
{
    [Theory]
    [InlineData(1e-6)]
    [InlineData(3e-4)]
    [InlineData(0.7)]
    [InlineData(4000)]
    public void Quantiles_are_those_of_the_sorted_durations_within_5_percent(double scale)
    {
        var random = new Random(4);
        double[] seconds = [.. Enumerable.Range(0, 1000).Select(_ => scale * (1 + random.NextDouble()))];
        var histogram = new DurationHistogram();
        foreach (double duration in seconds)
        {
            histogram.Add(TimeSpan.FromTicks((long)Math.Ceiling(duration * TimeSpan.TicksPerSecond)));
        }

        Array.Sort(seconds);
        foreach (double q in new[] { 0.01, 0.5, 0.99, 1 })
        {
            double exact = Math.Ceiling(seconds[(int)Math.Ceiling(q * 1000) - 1] * TimeSpan.TicksPerSecond) / TimeSpan.TicksPerSecond;
            Assert.InRange(histogram.Quantile(q).TotalSeconds, exact * 0.95 - 1e-7, exact * 1.05 + 1e-7);
        }
    }

    [Fact]
    public void What_is_shorter_or_longer_than_the_classes_reach_counts_in_the_first_and_the_last()
    {
        var histogram = new DurationHistogram();
        Assert.Equal(TimeSpan.Zero, histogram.Quantile(0.5));
        histogram.Add(TimeSpan.FromSeconds(-1));
        histogram.Add(TimeSpan.FromDays(1));
        Assert.Equal(2, histogram.Count);
        Assert.InRange(histogram.Quantile(0.5).TotalSeconds, 0, 2e-6);
        Assert.InRange(histogram.Quantile(1).TotalHours, 3, 5);
    }
}
