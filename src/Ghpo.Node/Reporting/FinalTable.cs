using Ghpo.Learning;
using Spectre.Console;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Reporting;

/// <summary>Held-out accuracy before and after, by difficulty and overall.</summary>
internal static class FinalTable
{
    public static Table Of(EvaluationResult before, EvaluationResult after, string title = "held-out accuracy")
    {
        Table table = new Table().Title(Markup.Escape(title))
            .AddColumns("difficulty", "problems", $"before ({before.Version})", $"after ({after.Version})", "change");
        foreach ((string level, int problems, double first, double last) in Rows(before, after))
        {
            table.AddRow(Markup.Escape(level), Count(problems), Figure(first), Figure(last), Change(last - first));
        }

        for (int column = 1; column < table.Columns.Count; column++)
        {
            table.Columns[column].RightAligned();
        }

        return table;
    }

    /// <summary>A row a level that both evaluations know, then all problems together.</summary>
    public static IEnumerable<(string Level, int Problems, double Before, double After)> Rows(EvaluationResult before, EvaluationResult after)
    {
        foreach (LevelAccuracy last in after.Levels)
        {
            if (before.Levels.FirstOrDefault(level => level.Level == last.Level) is { } first)
            {
                yield return (last.Level.Length > 0 ? last.Level : "–", last.Problems, first.Accuracy, last.Accuracy);
            }
        }

        yield return ("all", after.Problems, before.Accuracy, after.Accuracy);
    }

    public static string Change(double difference) => (difference >= 0 ? "+" : "−") + Figure(Math.Abs(difference));
}
