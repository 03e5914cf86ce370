using System.Globalization;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Commands;
using Ghpo.Problems;
using Spectre.Console;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Journaling;

/// <summary><c>ghpo journal lineage</c>: what made a step, and what a problem was used for.</summary>
internal static class JournalLineage
{
    public static void PrintStep(RunJournal run, int step, bool json, TextWriter output)
    {
        StepLineage lineage = Lineage.OfStep(run.Journal, step);
        if (json)
        {
            output.WriteLine(JournalJson.Write(lineage));
            return;
        }

        IAnsiConsole console = Terminal.For(output);
        StepMetrics learning = lineage.Commit.Report.Learning;
        string before = lineage.HashBefore is { } hash ? EventLine.Short(hash) : "base model";
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{run.Folder.Name}, step {step}: v{step} ({before}) to {lineage.Commit.Version} ({EventLine.Short(lineage.Commit.PolicyHash)}), "
            + $"reward {Figure(lineage.Commit.Report.MeanReward)}, loss {learning.Loss:0.0000}, gradient norm {Figure(learning.GradientNorm)}, learning rate {learning.LearningRate:0.###e0}"));
        console.Write(Table(lineage.Groups, withCommit: false));
    }

    public static void PrintProblem(RunJournal run, string problem, bool json, TextWriter output)
    {
        ProblemLineage lineage = Lineage.OfProblem(run.Journal, run.Settings.Rollout.Staleness, new ProblemId(problem));
        if (json)
        {
            output.WriteLine(JournalJson.Write(lineage));
            return;
        }

        IAnsiConsole console = Terminal.For(output);
        string statistics = lineage.Statistics is { } known
            ? $"{known.Correct} of {known.Judged} answers correct over {known.Seen} groups"
            : "no group of it has settled";
        string memory = lineage.Memory is { } solved ? $"; last solved at {Percent(solved.Newest.HintRatio)} in group {solved.Newest.Group}" : "";
        console.WriteLine($"{run.Folder.Name}, problem {problem}: {statistics}{memory}");
        console.Write(Table(lineage.Groups, withCommit: true));
        if (!lineage.Open.IsEmpty)
        {
            console.WriteLine($"open: {string.Join(", ", lineage.Open.Select(group => group.Group))}");
        }
    }

    private static Table Table(IEnumerable<GroupLineage> groups, bool withCommit)
    {
        Table table = new Table().AddColumns("group", withCommit ? "in the weights" : "problem", "hint levels", "settled", "verdicts", "tokens", "dropped", "policy", "epoch", "tokens kept");
        foreach (GroupLineage group in groups)
        {
            GroupFacts facts = group.Facts;
            table.AddRow(
                facts.Group.ToString(),
                withCommit ? group.Committed ? "yes" : "not yet" : Markup.Escape(facts.Problem.Value),
                string.Join(" → ", group.Levels.Select(Percent)),
                EventLine.Name(facts.Settlement),
                EventLine.Verdicts(facts),
                Count(facts.CompletionTokens),
                Count(facts.ExtraTokens),
                facts.Version.ToString(),
                facts.Epoch.ToString(CultureInfo.InvariantCulture),
                group.TokensKept ? "yes" : "pruned");
        }

        return table;
    }
}
