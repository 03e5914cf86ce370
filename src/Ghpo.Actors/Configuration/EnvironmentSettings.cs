using System.Collections;

namespace Ghpo.Configuration;

/// <summary>
/// Settings from the environment, for containers: <c>GHPO_CLUSTER_HOST</c> is <c>ghpo.cluster.host</c>; dots and dashes are underscores. Over a file, under the
/// command line. A list is written as in HOCON. A variable that begins so and names no setting is an error, as a mistyped key in a file is.
/// </summary>
public static class EnvironmentSettings
{
    /// <summary>What clients of the inspection show; no setting of a run.</summary>
    public const string ClientToken = "GHPO_TOKEN";

    private const string Prefix = "GHPO_";

    /// <summary>Variables of tests and benchmarks begin so and are none of ours.</summary>
    private static readonly string[] OthersPrefixes = ["GHPO_TEST_", "GHPO_BENCH_"];

    private static readonly Dictionary<string, string> Paths = SettingsSchema.Keys.ToDictionary(key => VariableOf(key.Path), key => key.Path, StringComparer.Ordinal);

    /// <summary>The variable of a key.</summary>
    public static string VariableOf(string path) =>
        path.Replace('.', '_').Replace('-', '_').ToUpperInvariant();

    /// <exception cref="UserErrorException">A variable names no setting.</exception>
    public static IReadOnlyList<SettingOverride> Read() => Read(Environment.GetEnvironmentVariables());

    /// <param name="variables">Names and values.</param>
    /// <exception cref="UserErrorException">A variable names no setting.</exception>
    public static IReadOnlyList<SettingOverride> Read(IDictionary variables) =>
    [
        .. variables.Keys.Cast<string>()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name != ClientToken && !OthersPrefixes.Any(other => name.StartsWith(other, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal)
            .Select(name => Paths.TryGetValue(name, out string? path)
                ? new SettingOverride(path, (string)variables[name]!, $"environment variable {name}")
                : throw new UserErrorException(
                    $"environment variable {name} names no setting{(Nearest.To(name, Paths.Keys) is { } nearest ? $"; did you mean {nearest} ({Paths[nearest]})?" : "; `ghpo config` lists the valid keys")}")),
    ];
}
