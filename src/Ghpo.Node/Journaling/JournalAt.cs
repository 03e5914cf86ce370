using System.Globalization;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Commands;
using Spectre.Console;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Journaling;

/// <summary><c>ghpo journal at</c>: the state that a run was in.</summary>
internal static class JournalAt
{
    public static void Print(RunJournal run, int? step, bool json, TextWriter output)
    {
        RunMoment moment = RunHistory.At(run.Journal, run.Settings.Rollout.Staleness, step);
        (CurriculumState curriculum, HintState hints, LearnerState learner) = moment.State;
        GroupAttempt[] open = [.. moment.State.OpenGroups.Select(group => HintLadder.Open(run.Timeline.At(group.Group.Step).Hints, hints, group))];
        if (json)
        {
            output.WriteLine(JournalJson.Write(new
            {
                Run = run.Folder.Name,
                Step = moment.Last?.Step,
                learner.Version,
                moment.Last?.PolicyHash,
                moment.Written,
                learner.Epoch,
                learner.TotalRolloutTokens,
                learner.Checkpoints,
                learner.Evaluations,
                curriculum.NextStep,
                curriculum.Drawn,
                OpenGroups = open,
                Problems = curriculum.Problems.OrderBy(problem => problem.Key.Value, StringComparer.Ordinal)
                    .Select(problem => new { Problem = problem.Key, Statistics = problem.Value }),
                HintMemory = hints.Memory.OrderBy(memory => memory.Key.Value, StringComparer.Ordinal)
                    .Select(memory => new { Problem = memory.Key, memory.Value.Newest, memory.Value.Earlier }),
            }));
            return;
        }

        IAnsiConsole console = Terminal.For(output);
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{run.Folder.Name} {(step is null ? "now" : $"after step {step}")}: {learner.Version}, last event written {moment.Written:yyyy-MM-dd HH:mm:ss} UTC"));
        var table = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        Row(table, "weights", moment.Last is { } last ? last.PolicyHash : "the base model's");
        Row(table, "epoch", Count(learner.Epoch));
        Row(table, "rollout tokens", Count(learner.TotalRolloutTokens));
        Row(table, "checkpoints", learner.Checkpoints.IsEmpty ? "none" : string.Join(", ", learner.Checkpoints.Select(taken => taken.Folder)));
        Row(table, "held-out accuracy", learner.Evaluations.IsEmpty
            ? "not measured"
            : string.Join(", ", learner.Evaluations.Select(result => $"{Figure(result.Accuracy)} at {result.Version}")));
        Row(table, "curriculum", $"{Count(curriculum.Drawn)} problems drawn, {Count(curriculum.Problems.Count)} different ones settled; next plan is step {curriculum.NextStep}");
        Row(table, "last settled", Shares(curriculum.Problems.Values.GroupBy(LastOf).OrderBy(end => end.Key, StringComparer.Ordinal).Select(end => (end.Key, end.Count()))));
        Row(table, "hint memory", Shares(hints.Memory.Values.GroupBy(memory => memory.Newest.HintRatio).OrderBy(level => level.Key)
            .Select(level => ($"solved at {Percent(level.Key)}", level.Count()))));
        Row(table, "open groups", open.Length == 0 ? "none" : Count(open.Length));
        console.Write(table);
        if (open.Length > 0)
        {
            Table groups = new Table().AddColumns("group", "problem", "attempt", "hint", "tokens spent");
            foreach (GroupAttempt group in open)
            {
                groups.AddRow(
                    group.Group.ToString(), Markup.Escape(group.Problem.Value), Count(group.Attempt), Percent(group.HintRatio), Count(group.TokensSpent));
            }

            console.Write(groups);
        }
    }

    private static string LastOf(ProblemStatistics problem) => problem.LastSettlement == Settlement.Solved
        ? $"solved at {Percent(problem.LastHintRatio)}"
        : EventLine.Name(problem.LastSettlement);

    private static string Shares(IEnumerable<(string Name, int Problems)> shares)
    {
        string text = string.Join(", ", shares.Select(share => $"{Count(share.Problems)} {share.Name}"));
        return text.Length > 0 ? text : "none";
    }

    private static void Row(Grid grid, string name, string value) => grid.AddRow(Markup.Escape(name), Markup.Escape(value));
}
