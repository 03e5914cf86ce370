using System.Globalization;
using System.Text.RegularExpressions;

namespace Ghpo.Tests.Observing;

/// <summary>Prometheus' text format, as far as a scrape needs it: every line must be a comment or a sample.</summary>
internal sealed partial class PrometheusText
{
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    public PrometheusText(string text)
    {
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#'))
        {
            Match match = Sample().Match(line);
            if (!match.Success)
            {
                throw new FormatException($"no sample: {line}");
            }

            string labels = string.Join(",", Label().Matches(match.Groups["labels"].Value).Select(label => label.Value).Where(label => !label.StartsWith("otel_scope", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
            _samples[$"{match.Groups["name"].Value}{(labels.Length > 0 ? $"{{{labels}}}" : "")}"] = double.Parse(match.Groups["value"].Value.Replace("+Inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        }
    }

    public IReadOnlyCollection<string> Names => _samples.Keys;

    /// <summary>The sum over all samples of this name, with labels or without.</summary>
    public double Sum(string name) => _samples.Where(sample => sample.Key == name || sample.Key.StartsWith(name + "{", StringComparison.Ordinal)).Sum(sample => sample.Value);

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>.*)\})? (?<value>[-+0-9.eEInfNa]+)( -?[0-9]+)?$""")]
    private static partial Regex Sample();

    [GeneratedRegex("""[a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*"\s*""")]
    private static partial Regex Label();
}
