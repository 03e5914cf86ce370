using System.Globalization;
using Ghpo.Configuration;

namespace Ghpo.Node.Runs;

/// <summary>Where a run keeps its files. Paths are absolute.</summary>
public sealed class RunFolder
{
    private const int ProbeBytes = 64 * 1024;
    private const string ProbeName = ".probe";
    private const string ConfigurationName = "run.conf";
    private const string PartialSuffix = ".partial";

    private RunFolder(string name, string path)
    {
        Name = name;
        Root = path;
    }

    public string Name { get; }

    public string Root { get; }

    /// <summary>The resolved configuration, as the run was started.</summary>
    public string Configuration => Path.Combine(Root, ConfigurationName);

    public string Journal => Path.Combine(Root, "journal.db");

    public string Checkpoints => Path.Combine(Root, "checkpoints");

    /// <summary>Weights on their way to the workers of a cluster; a cache.</summary>
    public string Plane => Path.Combine(Root, "plane");

    /// <summary>TensorBoard's event files, and the three files below.</summary>
    public string Metrics => Path.Combine(Root, "metrics");

    /// <summary>One JSON object a step.</summary>
    public string Steps => Path.Combine(Metrics, "steps.jsonl");

    /// <summary>One JSON object for each measurement of held-out accuracy.</summary>
    public string Evaluations => Path.Combine(Metrics, "evaluations.jsonl");

    /// <summary>How the run ended, as one JSON object; there from the run's end on.</summary>
    public string Outcome => Path.Combine(Metrics, "outcome.json");

    public string Goal => Path.Combine(Metrics, "goal.json");

    public string Log => Path.Combine(Root, "logs", "ghpo.log");

    /// <summary>Where `ghpo pbm` reaches the run, as one JSON object; there while it can.</summary>
    public string Inspection => Path.Combine(Root, "inspection.json");

    public string Report => Path.Combine(Root, "report");

    public string ReportPage => Path.Combine(Report, "index.html");

    /// <summary>The trained model, as a Hugging Face folder; there once the run is complete.</summary>
    public string Model => Path.Combine(Root, "model");

    /// <summary>The LoRA adapter alone, in PEFT's layout; there once a run with learning.lora is complete.</summary>
    public string Adapter => Path.Combine(Root, "adapter");

    /// <summary>How a user names this run: the path as he would type it from the working folder.</summary>
    public string Shown => Display(Root);

    /// <summary>The name that a run gets where its configuration gives none.</summary>
    public static string NameFor(DateTimeOffset start) => start.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);

    /// <summary>
    /// Makes the folder of a new run and writes run.conf, which appears whole or not at all. Where that fails, nothing is left behind; what a killed
    /// process left behind before there was a run.conf stands in nobody's way.
    /// </summary>
    /// <exception cref="UserErrorException">The name is invalid or taken, or the folder cannot be written.</exception>
    public static RunFolder Create(GhpoSettings settings, DateTimeOffset now)
    {
        string name = settings.Run.Name.Length > 0 ? settings.Run.Name : NameFor(now);
        CheckName(name);
        string root = Path.GetFullPath(Path.Combine(settings.Run.Folder, name));
        if (Path.Exists(root) && !IsLeftOver(root))
        {
            throw new UserErrorException(
                $"{Display(root)} exists. `ghpo resume {ResumeArgument(root)}` goes on with that run "
                + "(a complete one: with --set run.steps=N for more); give this one another name with --run.");
        }

        bool parentExisted = Directory.Exists(settings.Run.Folder);
        var folder = new RunFolder(name, root);
        try
        {
            Directory.CreateDirectory(root);
            Probe(root);
            folder.MakeParts();
            WriteWhole(folder.Configuration, SettingsWriter.Write(settings with { Run = settings.Run with { Name = name } }));
            return folder;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            Remove(root);
            if (!parentExisted)
            {
                Remove(Path.GetFullPath(settings.Run.Folder));
            }

            throw CannotWrite(root, problem);
        }
    }

    /// <summary>Finds the folder of a run that was started before.</summary>
    /// <param name="nameOrPath">Its path, or its name in <c>runs/</c>.</param>
    /// <exception cref="UserErrorException">There is no such run; says which there are.</exception>
    public static RunFolder Open(string nameOrPath)
    {
        string[] candidates = [nameOrPath, Path.Combine("runs", nameOrPath)];
        foreach (string candidate in candidates.Where(candidate => File.Exists(Path.Combine(candidate, ConfigurationName))))
        {
            string root = Path.GetFullPath(candidate).TrimEnd(Path.DirectorySeparatorChar);
            return new RunFolder(Path.GetFileName(root), root);
        }

        string[] runs = !Directory.Exists("runs") ? [] :
            [.. Directory.GetDirectories("runs").Where(run => File.Exists(Path.Combine(run, ConfigurationName))).Select(run => Path.GetFileName(run)).Order()];
        string known = runs.Length > 0 ? $"runs/ holds {string.Join(", ", runs)}" : "runs/ holds none";
        throw new UserErrorException($"{nameOrPath}: no such run (no run.conf in {candidates[0]} or {candidates[1]}); {known}");
    }

    /// <summary>The settings that the run was started with.</summary>
    public GhpoSettings ReadSettings()
    {
        // The folder may have been moved since: where it is counts, not where it was.
        GhpoSettings settings = SettingsBinder.Load(Display(Configuration), []);
        return settings with { Run = settings.Run with { Name = Name, Folder = Path.GetDirectoryName(Root)! } };
    }

    /// <summary>Checks that a run that is to go on can write here.</summary>
    /// <exception cref="UserErrorException">The folder cannot be written.</exception>
    public void CheckWritable()
    {
        try
        {
            Probe(Root);
            MakeParts();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(Root, problem);
        }
    }

    /// <summary>True while there is neither a step nor a checkpoint in it.</summary>
    public bool HoldsNothing => !File.Exists(Steps) && (!Directory.Exists(Checkpoints) || !Directory.EnumerateFileSystemEntries(Checkpoints).Any());

    /// <summary>Deletes the folder and everything in it.</summary>
    public void Remove() => Remove(Root);

    /// <summary>What to type to go on with the run.</summary>
    public string ResumeCommand => $"ghpo resume {ResumeArgument(Root)}";

    private void MakeParts()
    {
        foreach (string part in new[] { Checkpoints, Metrics, Path.GetDirectoryName(Log)!, Report })
        {
            Directory.CreateDirectory(part);
        }
    }

    /// <summary>True for a folder in which a process was killed before it had written run.conf: nothing in it but what precedes that.</summary>
    private static bool IsLeftOver(string root) => Directory.Exists(root)
        && Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).All(file => Path.GetFileName(file) is ProbeName or ConfigurationName + PartialSuffix)
        && Directory.EnumerateDirectories(root).All(part => Path.GetFileName(part) is "checkpoints" or "metrics" or "logs" or "report");

    private static void WriteWhole(string file, string text)
    {
        string partial = file + PartialSuffix;
        using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(partial, file);
    }

    /// <exception cref="UserErrorException">The name cannot be a folder's everywhere.</exception>
    internal static void CheckName(string name)
    {
        bool valid = name.Length <= 100 && char.IsAsciiLetterOrDigit(name[0])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        if (!valid)
        {
            throw new UserErrorException(
                $"'{name}' cannot name a run: use letters, digits, '-', '_' and '.', beginning with a letter or digit, at most 100 "
                + "(the folder above it is ghpo.run.folder)");
        }
    }

    private static string ResumeArgument(string root) =>
        string.Equals(Path.GetDirectoryName(root), Path.GetFullPath("runs"), StringComparison.Ordinal) ? Path.GetFileName(root) : Display(root);

    private static string Display(string path)
    {
        string relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    /// <summary>
    /// Writes some kilobytes through to the disk and takes them away again: permission and space are found out before a run begins.
    /// </summary>
    private static void Probe(string root)
    {
        string file = Path.Combine(root, ProbeName);
        using (FileStream stream = new(file, FileMode.Create, FileAccess.Write))
        {
            stream.Write(new byte[ProbeBytes]);
            stream.Flush(flushToDisk: true);
        }

        File.Delete(file);
    }

    private static void Remove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // What cannot be written can often not be removed either; the error that is being reported names the folder.
        }
    }

    private static UserErrorException CannotWrite(string root, Exception problem) =>
        new($"{Display(root)} cannot be written: {problem.Message.TrimEnd('.')}. Free some space or mend its permissions, "
            + "or choose another place with --set ghpo.run.folder=FOLDER.");
}
