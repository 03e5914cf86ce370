using System.Globalization;
using Ghpo.Configuration;

namespace Ghpo.Node.Comparing;

/// <summary>What a comparison runs: every arm under every seed, all with the same budget of sampled tokens.</summary>
internal sealed record ComparisonPlan(string Name, string Folder, long TokenBudget, IReadOnlyList<Arm> Arms, IReadOnlyList<Trial> Trials)
{
    /// <param name="name">Its folder is <c>folder/name</c>; each trial's run folder lies in it.</param>
    /// <param name="sets">Values of --set: <c>path=value</c> for all arms, <c>arm:path=value</c> for one.</param>
    /// <exception cref="UserErrorException">A strategy, seed or setting is invalid.</exception>
    public static ComparisonPlan Make(
        string name, string folder, string? config, string? data, string strategies, string seeds, long tokenBudget, IReadOnlyList<string> sets)
    {
        Arm[] arms = [.. Words(strategies).Select(Arm.Parse)];
        string[] numbers = Words(seeds);
        if (arms.Length == 0 || numbers.Length == 0)
        {
            throw new UserErrorException("a comparison needs at least one strategy and one seed, as in --strategies none,ladder --seeds 1,2,3");
        }

        if (arms.Select(arm => arm.Name).Concat(numbers).GroupBy(word => word).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new UserErrorException(
                $"{twice.Key} is named twice; a variant of a strategy gets a name of its own, as in --strategies ladder,short=ladder");
        }

        if (tokenBudget <= 0)
        {
            throw new UserErrorException($"--token-budget {tokenBudget}: must be above 0; the comparison is fair only at equal budgets");
        }

        (string? Arm, SettingOverride Set)[] overrides = [.. sets.Select(set => ParseSet(set, arms))];
        string root = Path.Combine(folder, name);
        var trials = new List<Trial>();
        foreach (Arm arm in arms)
        {
            foreach (string number in numbers)
            {
                long seed = long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long parsed)
                    ? parsed
                    : throw new UserErrorException($"--seeds {seeds}: {number} is not a whole number");
                string trial = Trial.NameOf(arm, seed);
                GhpoSettings settings = SettingsBinder.Load(config,
                [
                    .. data is null ? Array.Empty<SettingOverride>() : [new SettingOverride("ghpo.data.source", $"\"{data}\"", $"--data {data}")],
                    .. overrides.Where(one => one.Arm is null || one.Arm == arm.Name).Select(one => one.Set),
                    new SettingOverride("ghpo.hints.strategy", arm.Strategy, $"--strategies {strategies}"),
                    new SettingOverride("ghpo.run.seed", number, $"--seeds {seeds}"),
                    new SettingOverride("ghpo.run.token-budget", $"{tokenBudget}", $"--token-budget {tokenBudget}"),
                ]);
                if (!settings.Evaluation.Enabled)
                {
                    throw new UserErrorException("a comparison compares held-out accuracy: ghpo.evaluation.enabled must be true");
                }

                trials.Add(new Trial(arm, seed, settings with { Run = settings.Run with { Name = trial, Folder = root } }));
            }
        }

        return new ComparisonPlan(name, root, tokenBudget, arms, trials);
    }

    private static (string? Arm, SettingOverride Set) ParseSet(string set, Arm[] arms)
    {
        int equals = set.IndexOf('=', StringComparison.Ordinal);
        int colon = set.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || (equals >= 0 && colon > equals))
        {
            return (null, SettingOverride.Parse(set));
        }

        string arm = set[..colon];
        return arms.Any(known => known.Name == arm)
            ? (arm, SettingOverride.Parse(set[(colon + 1)..], $"--set {arm}:"))
            : throw new UserErrorException($"--set {set}: there is no strategy {arm} here; there is {string.Join(", ", arms.Select(known => known.Name))}");
    }

    private static string[] Words(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
