using System.Globalization;
using Ghpo.Configuration;

namespace Ghpo.Bench;

/// <summary>The arguments of a benchmark: pairs of a name and a value. <c>--config</c> and <c>--set</c> choose settings, as they do for ghpo.</summary>
internal sealed class Arguments
{
    private readonly string? _config;
    private readonly List<SettingOverride> _overrides = [];
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <param name="names">What this benchmark knows besides --config and --set.</param>
    /// <exception cref="UserErrorException">An unknown name, or a name without a value.</exception>
    public Arguments(string benchmark, string[] args, params string[] names)
    {
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new UserErrorException($"{args[i]} needs a value.");
            switch (args[i])
            {
                case "--config":
                    _config = value;
                    break;
                case "--set":
                    _overrides.Add(SettingOverride.Parse(value));
                    break;
                case string name when names.Contains(name):
                    _values[name] = value;
                    break;
                default:
                    throw new UserErrorException($"{benchmark} has no option {args[i]}; it has {string.Join(", ", ["--config", "--set", .. names])}.");
            }
        }
    }

    public string? Text(string name) => _values.GetValueOrDefault(name);

    /// <exception cref="UserErrorException">The value is no whole number from least on.</exception>
    public int Number(string name, int otherwise, int least = 1) =>
        !_values.TryGetValue(name, out string? text) ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least ? number
        : throw new UserErrorException($"{name} {text}: must be a whole number from {least} on");

    /// <param name="benchmark">Settings of the benchmark's own; --config does not override them, --set does.</param>
    public GhpoSettings Settings(params IEnumerable<(string Path, string Value)> benchmark) =>
        SettingsBinder.Load(_config, [.. benchmark.Select(own => new SettingOverride(own.Path, own.Value, $"the benchmark's own {own.Path}")), .. _overrides]);
}
