using System.CommandLine;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Journal;
using Ghpo.Node.Journaling;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo replay</c>: weights from the journal.</summary>
internal static class ReplayCommand
{
    public static Command Build()
    {
        Argument<string> run = JournalCommand.Run();
        var to = new Option<int?>("--to") { Description = "The last step to fold; left out: the newest committed one.", HelpName = "STEP" };
        var verify = new Option<bool>("--verify")
        {
            Description = "Also compute every checkpoint on the way again, optimizer included, and compare it and the files on disk with the journal.",
        };
        var into = new Option<string?>("--out") { Description = "Folder to write the weights to, as a checkpoint in Hugging Face layout.", HelpName = "FOLDER" };
        Option<bool> json = JournalCommand.Json();
        var command = new Command(
            "replay",
            "Folds a run's journal into weights again, from the oldest state that is kept, and compares each step with what the run had. "
            + "Exit code 1 on any difference.")
        {
            run, to, verify, into, json,
        };
        command.SetAction(parsed => Run(
            RunJournal.Open(parsed.GetRequiredValue(run)),
            parsed.GetValue(to),
            parsed.GetValue(verify),
            parsed.GetValue(into),
            parsed.GetValue(json),
            parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(RunJournal run, int? to, bool verify, string? into, bool json, TextWriter output)
    {
        if (into is not null && Path.Exists(into))
        {
            throw new UserErrorException($"--out {into}: exists; name a folder that does not.");
        }

        var replay = new JournalReplay(run.Journal, run.Folder.Root, run.Timeline);
        int last = to ?? Math.Max(0, replay.NewestStep);
        ReplayResult result = replay.Fold(
            () => RunContextFactory.CreateTrainer(run.Timeline.Started, evaluation: () => null),
            last,
            fromNewest: false,
            verify,
            step =>
            {
                if (!json)
                {
                    output.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"step {step.Step}  v{step.Step + 1}  {EventLine.Short(step.Hash)}  {(step.Same ? "as journalled" : $"journalled as {EventLine.Short(step.Journalled)}")}"));
                }
            },
            trainer =>
            {
                if (into is not null)
                {
                    trainer.SaveCheckpoint(into);
                }
            });
        if (json)
        {
            output.WriteLine(JournalJson.Write(new { Run = run.Folder.Name, replay.FirstKept, replay.NewestStep, Same = result.Faults.IsEmpty, Result = result }));
        }
        else
        {
            Print(run.Folder.Name, result, last, verify && replay.Deterministic, output);
        }

        return result.Faults.IsEmpty ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static void Print(string run, ReplayResult result, int last, bool verify, TextWriter output)
    {
        foreach (string reason in result.Unusable)
        {
            output.WriteLine($"not used: {reason}");
        }

        foreach (string fault in result.Faults)
        {
            output.WriteLine($"fault: {fault}");
        }

        string source = result.Source is null ? "the base model" : $"{result.Source} (v{result.From})";
        string checkpoints = verify ? $", {result.CheckpointsCompared} checkpoints computed again" : "";
        int others = result.Steps.Count(step => !step.Same);
        string same = others == 0 ? "every one as the run had it" : $"{others} come out with other weights, which the run allows (run.deterministic = false)";
        output.WriteLine(result.Faults.IsEmpty
            ? $"{run}: {result.Steps.Length} steps folded from {source} to v{last + 1}{checkpoints}; {same}."
            : $"{run}: differs from what the run journalled, folded from {source}.");
    }
}
