using Ghpo.Hints;
using Ghpo.Journal;
using Ghpo.Problems;

namespace Ghpo.Configuration;

/// <summary>Settings that are each valid, but not together.</summary>
/// <param name="Keys">The keys concerned, full paths.</param>
public sealed record SettingsConflict(IReadOnlyList<string> Keys, string Problem);

/// <summary>What must hold between settings.</summary>
public static class SettingsRules
{
    public static IEnumerable<SettingsConflict> Check(GhpoSettings settings)
    {
        IReadOnlyList<double> levels = settings.Hints.Levels;
        if (levels.Any(level => level is <= 0 or >= 1) || levels.Zip(levels.Skip(1), (lower, upper) => lower >= upper).Any(falls => falls))
        {
            yield return Conflict("the levels must rise and lie between 0 and 1, as in [0.25, 0.5, 0.75]", "hints.levels");
        }

        if (levels.Count == 0 && settings.Hints.Strategy is HintStrategy.Ladder or HintStrategy.Memory)
        {
            yield return Conflict("a ladder needs at least one level; for none at all set ghpo.hints.strategy = none", "hints.levels", "hints.strategy");
        }

        if (settings.Rollout.Slots < settings.Rollout.GroupSize)
        {
            yield return Conflict(
                $"a worker must have room for one group: ghpo.rollout.slots is {settings.Rollout.Slots}, ghpo.rollout.group-size {settings.Rollout.GroupSize}",
                "rollout.slots", "rollout.group-size");
        }

        if (settings.Run.Deterministic && settings.Rollout.Threads != 1)
        {
            yield return Conflict(
                "with more than one thread an engine's results depend on what it decodes together; set 1, or ghpo.run.deterministic = false", "rollout.threads", "run.deterministic");
        }

        if (settings.Run.Deterministic && settings.Model.Device != "cpu")
        {
            yield return Conflict("only the CPU is known to give the same bits again; for another device set ghpo.run.deterministic = false", "model.device", "run.deterministic");
        }

        if (settings.Rollout.Temperature == 0)
        {
            yield return Conflict("training samples at a temperature above 0: at 0 all answers of a group are alike and teach nothing", "rollout.temperature");
        }

        if (settings.Rewards.AccuracyWeight == 0 && settings.Rewards.FormatWeight == 0)
        {
            yield return Conflict("one of the reward weights must be above 0", "rewards.accuracy-weight", "rewards.format-weight");
        }

        if (settings.Rewards.Length is { Weight: > 0 } length && length.SoftLimit >= length.HardLimit)
        {
            yield return Conflict($"must be above ghpo.rewards.length.soft-limit ({length.SoftLimit})", "rewards.length.hard-limit", "rewards.length.soft-limit");
        }

        if (settings.Rollout.Staleness >= settings.Run.Steps)
        {
            yield return Conflict($"must be below ghpo.run.steps ({settings.Run.Steps})", "rollout.staleness", "run.steps");
        }

        if (settings.Rollout is { SwitchInFlight: true, Staleness: 0 })
        {
            yield return Conflict(
                "with ghpo.rollout.staleness = 0 no policy is published while a step is sampled, and its answers must be of one version: set ghpo.rollout.staleness to 1 or more, or ghpo.rollout.switch-in-flight = false",
                "rollout.switch-in-flight", "rollout.staleness");
        }

        if (settings.Evaluation is { Temperature: 0, Answers: > 1 })
        {
            yield return Conflict("at ghpo.evaluation.temperature = 0 all answers are alike; ask for one, or set a temperature", "evaluation.answers", "evaluation.temperature");
        }

        if (settings.Journal is { Provider: JournalProvider.Postgresql, ConnectionString: "" })
        {
            yield return Conflict("ghpo.journal.provider = postgresql needs ghpo.journal.connection-string", "journal.connection-string", "journal.provider");
        }

        if (settings.Rollout.Workers == 0 && !settings.Cluster.Enabled)
        {
            yield return Conflict("without workers in this process somebody else must sample: set ghpo.cluster.enabled = true (--cluster)", "rollout.workers", "cluster.enabled");
        }

        if (settings.Verification.OnNodes && settings.Rewards.Own.Type.Length > 0)
        {
            yield return Conflict(
                "a reward of your own is code of this machine, which other nodes need not have: leave ghpo.verification.on-nodes = false", "verification.on-nodes", "rewards.own.type");
        }

        if (settings.Cluster.Join.FirstOrDefault(seed => !Uri.TryCreate($"tcp://{seed}", UriKind.Absolute, out Uri? uri) || uri.Port <= 0) is { } bad)
        {
            yield return Conflict($"{bad} is no HOST:PORT, as in \"10.0.0.5:4053\"", "cluster.join");
        }

        if (settings.Data is { Preset: DataPreset.Custom } data && (data.Fields.Problem.Length == 0 || data.Fields.Answer.Length == 0))
        {
            yield return Conflict(
                "ghpo.data.preset = custom needs ghpo.data.fields.problem and ghpo.data.fields.answer", "data.fields.problem", "data.fields.answer", "data.preset");
        }

        if (settings.Inspection is { Enabled: true, Token: "" } inspection && !IsLoopback(inspection.Host))
        {
            yield return Conflict(
                $"whoever reaches {inspection.Host} could steer the run: set ghpo.inspection.token, or keep to a loopback address", "inspection.host", "inspection.token");
        }

        if (settings.Observability.OtlpEndpoint is { Length: > 0 } endpoint
            && !(Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? receiver) && receiver.Scheme is "http" or "https"))
        {
            yield return Conflict("must be the base address of an OTLP/HTTP receiver, as in http://127.0.0.1:4318, or empty", "observability.otlp-endpoint");
        }

        foreach ((string key, IReadOnlyList<int> counts) in new[]
        {
            ("data.arithmetic.operations", settings.Data.Arithmetic.Operations),
            ("data.arithmetic.held-out-operations", settings.Data.Arithmetic.HeldOutOperations),
        })
        {
            if (counts.Count == 0 || counts.Any(count => count < 1) || counts.Distinct().Count() != counts.Count)
            {
                yield return Conflict("must name at least one number of operations, each 1 or more, none twice", key);
            }
        }
    }

    private static bool IsLoopback(string host) =>
        host == "localhost" || (System.Net.IPAddress.TryParse(host, out System.Net.IPAddress? address) && System.Net.IPAddress.IsLoopback(address));

    private static SettingsConflict Conflict(string problem, params string[] keys) => new([.. keys.Select(key => $"{SettingsSchema.Root}.{key}")], problem);
}
