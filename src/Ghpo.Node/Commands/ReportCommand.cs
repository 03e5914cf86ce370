using System.CommandLine;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Spectre.Console;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo report</c>: makes the reports of runs anew from their files.</summary>
internal static class ReportCommand
{
    public static Command Build()
    {
        var runs = new Argument<string[]>("RUN")
        {
            Description = "Names of runs in runs/, or paths of their folders.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("report", "Makes a run's report (plots and one HTML page) from its files, also while it runs.") { runs };
        command.SetAction(parsed =>
        {
            IAnsiConsole console = Terminal.For(parsed.InvocationConfiguration.Output);
            foreach (string name in parsed.GetRequiredValue(runs))
            {
                RunFolder folder = RunFolder.Open(name);
                string page = ReportPage.Write(folder);
                if (RunSummary.Read(folder) is { Before: { } before, After: { } after })
                {
                    console.Write(FinalTable.Of(before, after));
                }

                console.WriteLine($"report: {page}");
            }

            if (PlotFont.Advice is { } advice)
            {
                console.WriteLine(advice);
            }

            return ExitCodes.Success;
        });
        return command;
    }
}
