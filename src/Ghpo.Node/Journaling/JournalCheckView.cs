using System.Globalization;
using Ghpo.Journal;
using Ghpo.Node.Commands;
using Spectre.Console;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Journaling;

/// <summary><c>ghpo journal check</c>: counts, and every fault.</summary>
internal static class JournalCheckView
{
    /// <returns>True if there is no fault.</returns>
    public static bool Run(RunJournal run, bool json, TextWriter output)
    {
        (JournalCounts counts, var findings) = JournalAudit.Of(run.Journal, run.Folder.Root, run.Settings);
        var replay = new JournalReplay(run.Journal, run.Folder.Root, run.Timeline);
        ReplaySource? oldest = replay.Sources.FirstOrDefault();
        if (json)
        {
            output.WriteLine(JournalJson.Write(new { Run = run.Folder.Name, Sound = findings.IsEmpty, Counts = counts, ReplayFrom = oldest, Findings = findings }));
            return findings.IsEmpty;
        }

        IAnsiConsole console = Terminal.For(output);
        var table = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().RightAligned()).AddColumn();
        void Row(string name, long count, string remark = "") => table.AddRow(name, Count(count), Markup.Escape(remark));
        Row("events", counts.Events, $"{Count(counts.Bytes)} bytes, {PerToken(counts.BytesPerToken)} a trained token");
        Row("epochs", counts.Epochs);
        Row("steps planned", counts.StepsPlanned);
        Row("steps committed", counts.StepsCommitted);
        Row("groups planned", counts.GroupsPlanned);
        Row("groups settled", counts.SettledGroups, counts.PrunedGroups > 0 ? $"of {Count(counts.PrunedGroups)} the tokens are pruned" : "");
        Row("groups open", counts.OpenGroups);
        Row("hints raised", counts.HintsRaised);
        Row("answers trained on", counts.Answers);
        Row("tokens in them", counts.CompletionTokens, counts.RolloutTokens == 0 ? "" : $"{PerToken((double)counts.RolloutBytes / counts.RolloutTokens)} each as journalled with their prompts and log-probabilities");
        Row("tokens dropped", counts.ExtraTokens, "answers at lower hint levels");
        Row("checkpoints taken", counts.Checkpoints, $"{counts.CheckpointsVerified} on disk compared with the journal");
        console.Write(table);
        if (replay.NewestStep >= 0)
        {
            console.WriteLine(oldest is null
                ? "Replay reaches no step: no checkpoint is left to begin with."
                : oldest.Folder is null
                    ? $"Replay reaches steps 0 to {replay.NewestStep}, from the base model."
                    : $"Replay reaches steps {oldest.NextStep - 1} to {replay.NewestStep}, from {Path.GetRelativePath(run.Folder.Root, oldest.Folder)}.");
        }

        foreach (string finding in findings)
        {
            console.WriteLine($"fault: {finding}");
        }

        console.WriteLine(findings.IsEmpty
            ? $"{run.Folder.Name}: sound. Nothing is lost, trained twice or skipped."
            : $"{run.Folder.Name}: {findings.Length} {(findings.Length == 1 ? "fault" : "faults")}.");
        return findings.IsEmpty;
    }

    private static string PerToken(double? bytes) =>
        bytes is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known:0.00} bytes") : "no bytes";
}
