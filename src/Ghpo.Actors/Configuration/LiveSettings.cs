namespace Ghpo.Configuration;

/// <summary>
/// The settings that may change while a run goes on, and how a change becomes part of the configuration. All others shape what is journalled
/// already, or what is journalled next must fit to it: the way to change them is a fork.
/// </summary>
public static class LiveSettings
{
    private static readonly string[] Paths =
    [
        // How long, how often.
        "run.steps", "run.token-budget", "checkpoints.every-steps", "checkpoints.keep", "evaluation.every-steps",

        // How a step is learned: each step uses what is in force for it.
        "learning.rate", "learning.schedule", "learning.warm-up-ratio", "learning.epsilon-low", "learning.epsilon-high", "learning.kl-beta",
        "learning.iterations", "learning.importance-cap", "learning.max-gradient-norm", "learning.micro-batch-tokens", "learning.mask-truncated",

        // How much help a group gets from here on.
        "hints.strategy", "hints.levels", "hints.fixed-ratio", "hints.cold-start-steps",

        // What no result depends on: the machine that goes on may be another one.
        "rollout.workers", "rollout.slots", "rollout.deadline", "verification.workers", "verification.on-nodes", "dispatch.permits", "learning.threads", "logging.level",
        "cluster.enabled", "cluster.host", "cluster.port", "cluster.advertised-host", "cluster.join", "cluster.name", "cluster.folder", "cluster.insecure", "cluster.tls.enabled", "cluster.tls.ca", "cluster.tls.certificate", "cluster.tls.key", "cluster.policy-plane.port",
        "cluster.policy-plane.chunk-megabytes", "cluster.policy-plane.connections", "cluster.policy-plane.transfers",

        // Who may look in.
        "inspection.enabled", "inspection.host", "inspection.port", "inspection.token",
        "observability.http", "observability.http-address", "observability.http-port", "observability.otlp-endpoint",
    ];

    /// <summary>Those of them that a running process takes up; the others are read when one starts.</summary>
    private static readonly string[] PathsWhileRunning =
    [
        "run.steps", "run.token-budget", "checkpoints.every-steps", "checkpoints.keep", "evaluation.every-steps",
        "learning.rate", "learning.schedule", "learning.warm-up-ratio", "learning.epsilon-low", "learning.epsilon-high", "learning.kl-beta",
        "learning.iterations", "learning.importance-cap", "learning.max-gradient-norm", "learning.micro-batch-tokens", "learning.mask-truncated",
        "hints.strategy", "hints.levels", "hints.fixed-ratio", "hints.cold-start-steps",
    ];

    /// <summary>Full paths.</summary>
    public static IReadOnlyList<string> Keys { get; } = [.. Paths.Select(path => $"{SettingsSchema.Root}.{path}")];

    /// <summary>Full paths of those that a running process takes up.</summary>
    public static IReadOnlyList<string> KeysWhileRunning { get; } = [.. PathsWhileRunning.Select(path => $"{SettingsSchema.Root}.{path}")];

    /// <summary>The settings with one of them changed.</summary>
    /// <exception cref="UserErrorException">The key is unknown or not live, or the value does not fit it or the others.</exception>
    public static GhpoSettings With(GhpoSettings settings, SettingOverride change)
    {
        string text = SettingsWriter.Write(settings);
        GhpoSettings changed = SettingsBinder.Parse("settings in force", text, change);
        string key = change.FullPath;
        return Keys.Contains(key)
            ? changed
            : throw new UserErrorException(
                $"{change.Place}: {key} cannot change within a run: what it has journalled rests on it. "
                + $"`ghpo fork {settings.Run.Name} --at-step N --run NEW --set {change.Path}={change.Value}` begins a new run from a committed step. "
                + $"What may change while it goes on: {string.Join(", ", PathsWhileRunning)}; with `ghpo resume --set` also {string.Join(", ", Paths.Except(PathsWhileRunning))}.");
    }

    /// <summary>The value of a key as it would stand in a file.</summary>
    public static string ValueOf(GhpoSettings settings, string key)
    {
        object value = settings;
        foreach (string part in key.Split('.').Skip(1))
        {
            value = value.GetType().GetProperties().Single(property => SettingsSchema.Kebab(property.Name) == part).GetValue(value)!;
        }

        return SettingText.Format(value);
    }
}
