using System.CommandLine;
using Ghpo.Node.Journaling;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo journal</c>: reads what a run has written, while it runs or afterwards. Nothing here writes to the run.</summary>
internal static class JournalCommand
{
    public static Command Build()
    {
        var command = new Command("journal", "Looks into a run's journal, of a live run or a finished one, without writing to it.")
        {
            Show(),
            At(),
            Lineage(),
            Check(),
            Export(),
        };
        return command;
    }

    internal static Argument<string> Run() => new Argument<string>("RUN") { Description = "Name of the run in runs/, or path of its folder." }.OfRuns();

    internal static Option<bool> Json() => new("--json") { Description = "As JSON, for scripts." };

    private static Command Show()
    {
        Argument<string> run = Run();
        var from = new Option<int?>("--from") { Description = "First step; steps count from 0.", HelpName = "STEP" };
        var to = new Option<int?>("--to") { Description = "Last step.", HelpName = "STEP" };
        Option<string[]> kind = new Option<string[]>("--kind")
        {
            Description = $"Kinds of events: {string.Join(", ", EventLine.KindNames)}. May be given many times.",
            HelpName = "KIND",
        }.Of(EventLine.KindNames);
        var problem = new Option<string?>("--problem") { Description = "Events about one problem.", HelpName = "ID" };
        Option<bool> json = Json();
        var command = new Command("show", "Prints events in the order in which they were written, a line each (--json: a JSON object each).")
        {
            run, from, to, kind, problem, json,
        };
        command.SetAction(parsed =>
        {
            var filter = new EventFilter(parsed.GetValue(from), parsed.GetValue(to), parsed.GetValue(kind) ?? [], parsed.GetValue(problem));
            JournalShow.Print(
                RunJournal.Open(parsed.GetRequiredValue(run)).Journal, filter, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command At()
    {
        Argument<string> run = Run();
        var step = new Option<int?>("--step") { Description = "As of the commit of this step; left out: as of now.", HelpName = "STEP" };
        Option<bool> json = Json();
        var command = new Command("at", "Prints the state that a run was in: curriculum, hints, open groups, weights.") { run, step, json };
        command.SetAction(parsed =>
        {
            JournalAt.Print(
                RunJournal.Open(parsed.GetRequiredValue(run)), parsed.GetValue(step), parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Lineage()
    {
        Argument<string> run = Run();
        var step = new Option<int?>("--step") { Description = "What made this step.", HelpName = "STEP" };
        var problem = new Option<string?>("--problem") { Description = "What this problem was used for.", HelpName = "ID" };
        Option<bool> json = Json();
        var command = new Command("lineage", "Prints which rollouts, hints and verdicts made a step, or every step that used a problem.") { run, step, problem, json };
        command.Validators.Add(result =>
        {
            if (result.GetResult(step) is null == result.GetResult(problem) is null)
            {
                result.AddError("journal lineage needs either --step or --problem");
            }
        });
        command.SetAction(parsed =>
        {
            RunJournal opened = RunJournal.Open(parsed.GetRequiredValue(run));
            bool asJson = parsed.GetValue(json);
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(step) is { } number)
            {
                JournalLineage.PrintStep(opened, number, asJson, output);
            }
            else
            {
                JournalLineage.PrintProblem(opened, parsed.GetValue(problem)!, asJson, output);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Check()
    {
        Argument<string> run = Run();
        Option<bool> json = Json();
        var command = new Command(
            "check", "Checks that nothing is lost, trained twice or skipped, and that checkpoints are what the journal says. Exit code 1 on any fault.")
        {
            run, json,
        };
        command.SetAction(parsed => JournalCheckView.Run(
            RunJournal.Open(parsed.GetRequiredValue(run)), parsed.GetValue(json), parsed.InvocationConfiguration.Output)
            ? ExitCodes.Success
            : ExitCodes.Failure);
        return command;
    }

    private static Command Export()
    {
        Argument<string> run = Run();
        var parquet = new Option<string>("--parquet") { Description = "File to write.", HelpName = "FILE", Required = true };
        var from = new Option<int?>("--from") { Description = "First step; steps count from 0.", HelpName = "STEP" };
        var to = new Option<int?>("--to") { Description = "Last step.", HelpName = "STEP" };
        var command = new Command("export", "Writes rollouts for analysis, a row for each answer that was trained on.") { run, parquet, from, to };
        command.SetAction(async (parsed, _) =>
        {
            await JournalExport.WriteAsync(
                RunJournal.Open(parsed.GetRequiredValue(run)),
                parsed.GetRequiredValue(parquet),
                parsed.GetValue(from),
                parsed.GetValue(to),
                parsed.InvocationConfiguration.Output);
            return ExitCodes.Success;
        });
        return command;
    }
}
