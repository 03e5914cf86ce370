using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Spectre.Console;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo runs</c>: what runs there are, and how they stand.</summary>
internal static class RunsCommand
{
    public static Command Build()
    {
        var folder = new Option<string>("--folder") { Description = "Folder that holds the runs (ghpo.run.folder).", HelpName = "FOLDER", DefaultValueFactory = _ => "runs" };
        var json = new Option<bool>("--json") { Description = "As JSON, for scripts: an object a line." };
        var command = new Command("runs", "Lists runs: state, step, last figures, size.") { folder, json };
        command.SetAction(parsed =>
        {
            string root = parsed.GetValue(folder)!;
            if (!Directory.Exists(root) && parsed.GetResult(folder) is { Implicit: false })
            {
                throw new UserErrorException($"{root}: no such folder");
            }

            RunRow[] rows = !Directory.Exists(root) ? [] :
                [.. Directory.GetDirectories(root).Order(StringComparer.Ordinal).Where(run => File.Exists(Path.Combine(run, "run.conf"))).Select(Read)];
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                foreach (RunRow row in rows)
                {
                    output.WriteLine(Verbs.Line("", row).Json);
                }

                return ExitCodes.Success;
            }

            if (rows.Length == 0)
            {
                output.WriteLine($"{root} holds no runs");
                return ExitCodes.Success;
            }

            Table table = new Table().AddColumns("run", "state", "step", "reward", "accuracy", "held-out", "size");
            foreach (RunRow row in rows)
            {
                table.AddRow(
                    Markup.Escape(row.Name), row.State, row.Steps is { } steps ? $"{row.Step}/{steps}" : "", Shown(row.Reward), Shown(row.Accuracy), Shown(row.HeldOut), $"{row.Bytes / 1e6:N1} MB");
            }

            Terminal.For(output).Write(table);
            foreach (RunRow row in rows.Where(row => row.Problem is not null))
            {
                output.WriteLine(row.Problem);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static string Shown(double? figure) => figure is { } known ? Figure(known) : "–";

    private static RunRow Read(string path)
    {
        RunFolder folder = RunFolder.Open(path);
        long bytes = Bytes(new DirectoryInfo(path));
        try
        {
            RunSummary run = RunSummary.Read(folder);
            StepReport? last = run.Steps.Count > 0 ? run.Steps[^1] : null;
            EvaluationResult? measured = run.Evaluations.Count > 0 ? run.Evaluations[^1] : null;
            string state = run.Outcome is { } outcome ? outcome.Outcome.ToString().ToLowerInvariant() : RunProcess.IsAlive(folder) ? "running" : "interrupted";
            return new RunRow(folder.Name, state, last is null ? 0 : last.Step + 1, run.StepsWanted, last?.MeanReward, last?.Accuracy, measured?.Accuracy, bytes);
        }
        catch (UserErrorException problem)
        {
            // One run that cannot be read (of a newer version, say) must not hide the others.
            return new RunRow(folder.Name, "unreadable", 0, null, null, null, null, bytes, problem.Message);
        }
    }

    /// <summary>What is in a folder. A live run's files come and go meanwhile.</summary>
    private static long Bytes(DirectoryInfo folder)
    {
        long bytes = 0;
        try
        {
            foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos())
            {
                bytes += entry is DirectoryInfo below ? Bytes(below) : ((FileInfo)entry).Length;
            }
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return bytes;
        }

        return bytes;
    }

    private sealed record RunRow(string Name, string State, int Step, int? Steps, double? Reward, double? Accuracy, double? HeldOut, long Bytes, string? Problem = null);
}
