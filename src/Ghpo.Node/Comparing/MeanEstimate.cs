namespace Ghpo.Node.Comparing;

/// <summary>A mean of independent measurements with its confidence interval.</summary>
/// <param name="Margin">Half the width of the interval; null for a single measurement, which says nothing about spread.</param>
public sealed record MeanEstimate(int Count, double Mean, double? Margin)
{
    public double? Low => Mean - Margin;

    public double? High => Mean + Margin;

    /// <summary>
    /// Mean x̄ ± t·s/√n with s the sample deviation (n − 1) and t the two-sided quantile of Student's distribution with n − 1 degrees of freedom.
    /// </summary>
    public static MeanEstimate Of(IReadOnlyList<double> measurements, double confidence = 0.95)
    {
        int count = measurements.Count;
        ArgumentOutOfRangeException.ThrowIfZero(count, nameof(measurements));
        double mean = measurements.Average();
        if (count == 1)
        {
            return new MeanEstimate(count, mean, null);
        }

        double deviation = Math.Sqrt(measurements.Sum(value => (value - mean) * (value - mean)) / (count - 1));
        return new MeanEstimate(count, mean, StudentT.TwoSidedQuantile(confidence, count - 1) * deviation / Math.Sqrt(count));
    }
}
