using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Node.Reporting;
using Spectre.Console;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo report</c>: what runs did, from their journals alone.</summary>
internal static class ReportCommand
{
    private const string DefaultFolder = "report";

    public static Command Build()
    {
        Argument<string[]> runs = new Argument<string[]>("RUN")
        {
            Description = "Names of runs in runs/, paths of run folders or of journal files, or connection strings of PostgreSQL journals.",
            Arity = ArgumentArity.OneOrMore,
        }.OfRuns();
        var into = new Option<string?>("--out") { Description = $"Folder for page and plots. Default: of one run its report/, else {DefaultFolder}/.", HelpName = "FOLDER" };
        var command = new Command("report", "Makes a report (plots and one HTML page) from a run's journal, also while it runs; of several runs, one with all of them in each plot.")
        {
            runs, into,
        };
        command.SetAction(parsed =>
        {
            IAnsiConsole console = Terminal.For(parsed.InvocationConfiguration.Output);
            RunRecord[] records = [.. parsed.GetRequiredValue(runs).Select(RunRecord.Open)];
            string folder = parsed.GetValue(into) ?? (records is [{ Home: { } home }] ? Path.Combine(home, DefaultFolder) : DefaultFolder);
            string page = Written(records, folder);
            foreach (RunRecord run in records)
            {
                if (run is { Before: { } before, After: { } after })
                {
                    console.Write(FinalTable.Of(before, after, records.Length > 1 ? $"{run.Name}: held-out accuracy" : "held-out accuracy"));
                }
            }

            console.WriteLine($"report: {page}");
            if (PlotFont.Advice is { } advice)
            {
                console.WriteLine(advice);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    /// <exception cref="UserErrorException">The folder cannot be made or written to.</exception>
    private static string Written(RunRecord[] records, string folder)
    {
        try
        {
            return ReportPage.Write(records, folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{folder}: the report cannot be written there: {failure.Message} Another place: --out FOLDER");
        }
    }
}
