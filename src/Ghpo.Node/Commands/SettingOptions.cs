using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Hints;

namespace Ghpo.Node.Commands;

/// <summary>The options that choose settings: a file, short names for what is changed most, and <c>--set</c> for everything.</summary>
internal sealed class SettingOptions
{
    private readonly Option<string?> _config = new("--config", "-c")
    {
        Description = "Configuration file (HOCON). Overrides the defaults.",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _set = new Option<string[]>("--set")
    {
        Description = "A setting, by its path in the configuration. Overrides file and defaults; may be given many times.",
        HelpName = "path=value",
    }.OfSettings();

    private readonly (Option<string?> Option, string Path)[] _short =
    [
        Short("--data", "FILE", "ghpo.data.source", "Problems to train on: a .jsonl, .json or .parquet file"),
        Short("--run", "NAME", "ghpo.run.name", "Name of the run"),
        Short("--steps", "N", "ghpo.run.steps", "Optimizer steps"),
        Short("--seed", "N", "ghpo.run.seed", "Seed of problem order and sampling"),
        Short("--strategy", "NAME", "ghpo.hints.strategy", "Hints: none (GRPO), ladder (GHPO), fixed or memory", Enum.GetNames<HintStrategy>().Select(SettingsSchema.Kebab)),
    ];

    private readonly Option<bool> _cluster = new("--cluster") { Description = "Workers of other nodes may join (ghpo.cluster.enabled)." };

    public void AddTo(Command command)
    {
        command.Add(_config);
        foreach ((Option<string?> option, _) in _short)
        {
            command.Add(option);
        }

        command.Add(_cluster);
        command.Add(_set);
    }

    /// <summary>The settings in force.</summary>
    /// <exception cref="UserErrorException">Any of them is unknown or invalid.</exception>
    public GhpoSettings Resolve(ParseResult parsed) => SettingsBinder.Load(parsed.GetValue(_config), [.. EnvironmentSettings.Read(), .. Overrides(parsed)]);

    private IEnumerable<SettingOverride> Overrides(ParseResult parsed)
    {
        foreach ((Option<string?> option, string path) in _short)
        {
            if (parsed.GetValue(option) is { } value)
            {
                yield return new SettingOverride(path, value, $"{option.Name} {value}");
            }
        }

        if (parsed.GetValue(_cluster))
        {
            yield return new SettingOverride("ghpo.cluster.enabled", "true", "--cluster");
        }

        foreach (string set in parsed.GetValue(_set) ?? [])
        {
            yield return SettingOverride.Parse(set);
        }
    }

    private static (Option<string?> Option, string Path) Short(string name, string value, string path, string meaning, params IEnumerable<string> values) =>
        (new Option<string?>(name) { Description = $"{meaning} ({path}).", HelpName = value }.Of(values), path);
}
