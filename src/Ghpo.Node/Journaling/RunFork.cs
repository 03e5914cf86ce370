using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Journal;
using Ghpo.Node.Runs;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Node.Journaling;

/// <summary>
/// A new run from a committed step of another: the step's weights and optimizer, folded if no checkpoint holds them, and the journal up to there.
/// It is built beside its place and then moved there, so that a run is there whole or not at all.
/// </summary>
internal static class RunFork
{
    private const string Suffix = ".forking";

    /// <summary>Settings that the journalled weights hang on.</summary>
    private static readonly string[] Fixed = ["ghpo.model.path", "ghpo.model.dtype"];

    /// <param name="overrides">Settings that the new run has instead of its parent's.</param>
    /// <param name="onStep">Called for each step that has to be folded.</param>
    /// <returns>The new run, and what its journal says of its parent.</returns>
    /// <exception cref="UserErrorException">The step cannot be had, a setting cannot be changed, or the new run's place is taken.</exception>
    public static async Task<(RunFolder Folder, RunForked Forked)> CreateAsync(
        RunJournal parent, int step, string name, IReadOnlyList<SettingOverride> overrides, TimeProvider time, Action<ReplayedStep> onStep)
    {
        RunFolder.CheckName(name);

        // What the parent's next step was learned with, or would have been.
        GhpoSettings inForce = parent.Timeline.At(step + 1);
        GhpoSettings settings = SettingsBinder.Parse($"settings of {parent.Folder.Name} for step {step + 1}", SettingsWriter.Write(inForce), overrides);
        settings = settings with { Run = settings.Run with { Name = name, Folder = Path.GetFullPath(settings.Run.Folder) } };
        (string[] changes, string[] changed) = Changes(inForce, settings);
        Check(parent, step, settings, changed);

        string root = Path.Combine(settings.Run.Folder, name);
        string building = root + Suffix;
        if (Path.Exists(root))
        {
            throw new UserErrorException($"{root} exists; give the new run another name with --run.");
        }

        if (Directory.Exists(building))
        {
            Directory.Delete(building, recursive: true);
        }

        RunFolder folder = RunFolder.Create(settings with { Run = settings.Run with { Name = name + Suffix } }, time.GetUtcNow());
        try
        {
            // Without its configuration it is no run yet, and nobody resumes half a journal.
            File.Delete(folder.Configuration);
            (string hash, string digest) = Fold(parent, step, Path.Combine(folder.Root, RunForked.Origin), onStep);
            var forked = new RunForked(parent.Folder.Name, parent.Folder.Root, step, hash, [.. changes], time.GetUtcNow());
            await JournalCopy.WriteAsync(settings.Journal, folder.Journal, JournalFork.Cut(parent.Journal, forked, digest));
            await File.WriteAllTextAsync(folder.Configuration, SettingsWriter.Write(settings));
            Directory.Move(folder.Root, root);
            return (RunFolder.Open(root), forked);
        }
        catch
        {
            folder.Remove();
            throw;
        }
    }

    private static void Check(RunJournal parent, int step, GhpoSettings settings, string[] changed)
    {
        if (Fixed.FirstOrDefault(changed.Contains) is { } key)
        {
            throw new UserErrorException($"{key} cannot change in a fork: the weights of {parent.Folder.Name} hang on it. Start a new run with it.");
        }

        if (settings.Run.Steps <= step + 1)
        {
            throw new UserErrorException(
                $"The new run would have nothing to do: it begins after step {step} and has {settings.Run.Steps} steps. Give it more with --set run.steps=N.");
        }

        if (settings.Journal is { Provider: JournalProvider.Postgresql } && settings.Journal.ConnectionString == parent.Settings.Journal.ConnectionString)
        {
            throw new UserErrorException(
                "The new run needs a database of its own: create an empty one and name it with --set journal.connection-string=…, or use --set journal.provider=sqlite.");
        }
    }

    /// <summary>What differs, as <c>path=value</c> and by key. Where a run is kept is no difference, and may hold a password.</summary>
    private static (string[] Changes, string[] Keys) Changes(GhpoSettings parent, GhpoSettings settings)
    {
        Dictionary<string, string> before = Values(parent);
        KeyValuePair<string, string>[] changed =
        [
            .. Values(settings).Where(value => before[value.Key] != value.Value
                && !value.Key.StartsWith("ghpo.journal.", StringComparison.Ordinal)
                && value.Key is not ("ghpo.run.name" or "ghpo.run.folder")),
        ];
        return ([.. changed.Select(value => $"{value.Key["ghpo.".Length..]}={value.Value}")], [.. changed.Select(value => value.Key)]);
    }

    private static Dictionary<string, string> Values(GhpoSettings settings) =>
        HoconReader.Read("run.conf", SettingsWriter.Write(settings)).Where(entry => entry.Value is not HoconValue.Section)
            .ToDictionary(entry => entry.Path, entry => entry.Value.ToString()!);

    private static (string Hash, string Digest) Fold(RunJournal parent, int step, string origin, Action<ReplayedStep> onStep)
    {
        string digest = "";
        string hash = "";
        var replay = new JournalReplay(parent.Journal, parent.Folder.Root, parent.Timeline);
        ReplayResult result = replay.Fold(
            () => RunContextFactory.CreateTrainer(parent.Timeline.Started, evaluation: () => null),
            step,
            fromNewest: true,
            verify: false,
            onStep,
            trainer =>
            {
                hash = JournalReplay.HashOf(trainer);
                digest = trainer.SaveCheckpoint(origin);
            });
        return result.Faults.IsEmpty
            ? (hash, digest)
            : throw new UserErrorException($"{parent.Folder.Name} cannot be forked after step {step}: {string.Join("; ", result.Faults)}");
    }
}
