using System.Collections.Immutable;
using Ghpo.Inspection;
using Ghpo.Learning;

namespace Ghpo.Node.Reporting;

/// <summary>
/// What is plotted of runs. Of one run the measures of a subject are lines of one plot; of several each measure is a plot, and each run a line of it, in the same
/// color throughout.
/// </summary>
internal static class RunCharts
{
    /// <summary>More lines than that are no plot.</summary>
    public const int MostLevels = 12;

    private const string Step = "step";
    private const string Share = "share";

    public static IReadOnlyList<Chart> Of(IReadOnlyList<RunRecord> runs)
    {
        string[] names = NamesOf(runs);
        return [.. Subjects(runs).SelectMany(subject => runs.Count == 1 ? [Alone(subject, runs[0])] : Overlaid(subject, runs, names))];
    }

    /// <summary>What reports call the runs; where two have the same name, their places.</summary>
    public static string[] NamesOf(IReadOnlyList<RunRecord> runs) =>
        [.. runs.Select(run => runs.Count(other => other.Name == run.Name) == 1 ? run.Name : $"{run.Name} ({run.Place})")];

    private static Chart Alone(Subject subject, RunRecord run) => new(
        subject.Title,
        subject.Name,
        subject.Across,
        subject.Unit,
        subject.Form,
        [.. subject.Measures.Select((measure, i) => new ChartLine(measure.Name, i, Known(measure.Points(run)))).Where(line => !line.Points.IsEmpty)],
        [.. Notes(subject, [run], [run.Name])]);

    private static IEnumerable<Chart> Overlaid(Subject subject, IReadOnlyList<RunRecord> runs, string[] names)
    {
        string[] notes = [.. Notes(subject, runs, names)];
        foreach ((int i, Measure measure) in subject.Measures.Index())
        {
            bool only = subject.Measures.Count == 1;
            yield return new Chart(
                only ? subject.Title : $"{subject.Title}: {measure.Name}",
                only ? subject.Name : $"{subject.Name}-{i + 1}",
                subject.Across,
                subject.Unit,
                subject.Form == ChartForm.Stack ? ChartForm.Lines : subject.Form,
                [.. runs.Select((run, place) => new ChartLine(names[place], place, Known(measure.Points(run)))).Where(line => !line.Points.IsEmpty)],
                i == 0 ? [.. notes] : []);
        }

        if (subject.Measures.Count == 0)
        {
            yield return new Chart(subject.Title, subject.Name, subject.Across, subject.Unit, subject.Form, [], [.. notes]);
        }
    }

    private static ImmutableArray<(double X, double Y)> Known(IEnumerable<(double X, double? Y)> points) =>
        [.. points.Where(point => point.Y is { } y && double.IsFinite(y)).Select(point => (point.X, point.Y!.Value))];

    /// <summary>What is missing, run by run.</summary>
    private static IEnumerable<string> Notes(Subject subject, IReadOnlyList<RunRecord> runs, string[] names)
    {
        foreach ((int i, RunRecord run) in runs.Index())
        {
            if (!subject.Measures.Any(measure => !Known(measure.Points(run)).IsEmpty))
            {
                yield return run.Steps.Count == 0
                    ? $"{names[i]}: no step is committed."
                    : subject.OfOrigin && run.Steps.All(step => step.Report.Origin is null)
                        ? $"{names[i]}: not in its journal, which was written before this was measured."
                        : $"{names[i]}: {subject.Missing}";
            }
            else if (subject.OfOrigin && run.Steps[0].Report.Origin is null)
            {
                yield return $"{names[i]}: in its journal from step {run.Steps.First(step => step.Report.Origin is not null).Report.Step} on; earlier steps were written before this was measured.";
            }
        }

        if (subject.Note is { } note)
        {
            yield return note;
        }
    }

    private static IEnumerable<Subject> Subjects(IReadOnlyList<RunRecord> runs)
    {
        StepReport[] steps = [.. runs.SelectMany(run => run.Steps).Select(step => step.Report)];
        yield return OfSteps("Reward and accuracy", "reward", "reward, or share",
            ("reward", step => step.MeanReward), ("accuracy", step => step.Accuracy),
            ("accuracy without hint", step => step.UnhintedAccuracy), ("accuracy with hint", step => step.HintedAccuracy),
            ("solved without hint (groups)", step => step.FirstAttemptSolved));

        string[] trained = Levels(steps.SelectMany(step => step.Origin?.Levels ?? []));
        Subject byDifficulty = OfSteps("Accuracy by difficulty, in training", "difficulty", Share, [.. trained.Take(MostLevels).Select(
            level => (Shown(level), (Func<StepReport, double?>)(step => step.Origin?.Levels.FirstOrDefault(one => one.Level == level)?.Accuracy)))]);
        yield return byDifficulty with { OfOrigin = true, Note = Surplus(trained) };

        string[] measured = Levels(runs.SelectMany(run => run.Evaluations).SelectMany(result => result.Levels));
        var heldOut = new Subject("Held-out accuracy by difficulty", "held-out", "version of the policy", Share,
        [
            new Measure("all", run => run.Evaluations.Select(result => ((double)result.Version.Value, (double?)result.Accuracy))),
            .. measured.Take(MostLevels).Select(level => new Measure(Shown(level), run => run.Evaluations.Select(
                result => ((double)result.Version.Value, result.Levels.FirstOrDefault(one => one.Level == level)?.Accuracy)))),
        ]);
        yield return heldOut with { Note = Surplus(measured) };

        // By rising hint ratio over all steps; the order in which levels were first used says nothing.
        string[] kinds =
        [
            .. steps.SelectMany(step => step.Settled).Select(settled => settled.HintRatio).Distinct().Order().Select(StepFigures.Percent)
                .Union(steps.SelectMany(step => step.Settlements()).Select(part => part.Name)),
        ];
        Subject settlements = OfSteps("Where groups settled", "settled", "share of groups", [.. kinds.Select(
            kind => (kind.EndsWith('%') ? $"solved at {kind}" : kind, (Func<StepReport, double?>)(step => step.Settlements().FirstOrDefault(part => part.Name == kind).Share)))]);
        yield return settlements with { Form = ChartForm.Stack };
        yield return OfSteps("Unsolved groups", "unsolved", "share of groups", ("unsolved", step => step.Unsolved / (double)Math.Max(1, step.Groups)));
        yield return OfSteps("Length of trained answers", "length", "tokens", ("mean completion", step => step.MeanCompletionTokens));
        yield return OfSteps("Gradient norm", "gradient-norm", "L2 norm before clipping", ("gradient norm", step => step.Learning.GradientNorm));
        Subject entropy = OfSteps("Entropy of the policy", "entropy", "nats a token", ("entropy", step => step.Entropy()));
        yield return entropy with { Missing = "in no step had a group an advantage, so that nothing was trained on whose entropy could be measured." };
        yield return OfSteps("Throughput", "tokens", "tokens/s",
            ("rollout (sampled)", step => step.RolloutTokensPerSecond()), ("learner (processed)", step => step.LearnerTokensPerSecond()));
        Subject staleness = OfSteps("Staleness of the groups", "staleness", "steps behind",
            ("mean", step => step.Origin?.MeanStaleness), ("most", step => step.Origin?.MostStaleness));
        yield return staleness with { OfOrigin = true };
        // The same unit for all runs of a report.
        bool hours = runs.Any(run => run.Steps is [.., { Hours: >= 2 }]);
        var workers = new Subject("Workers over time", "workers", hours ? "hours since the run began" : "minutes since the run began", "workers",
            [new Measure("workers", run => run.Steps.Select(step => (hours ? step.Hours : step.Hours * 60, (double?)step.Report.Origin?.Workers)))]);
        yield return workers with { OfOrigin = true, Form = ChartForm.Steps };
    }

    private static Subject OfSteps(string title, string name, string unit, params ReadOnlySpan<(string Name, Func<StepReport, double?> Value)> measures)
    {
        var list = ImmutableArray.CreateBuilder<Measure>(measures.Length);
        foreach ((string measure, Func<StepReport, double?> value) in measures)
        {
            list.Add(new Measure(measure, run => run.Steps.Select(step => ((double)step.Report.Step, value(step.Report)))));
        }

        return new Subject(title, name, Step, unit, list.MoveToImmutable());
    }

    private static string[] Levels(IEnumerable<LevelAccuracy> levels) => [.. levels.Select(level => level.Level).Distinct().Order(LevelOrder.Instance)];

    private static string Shown(string level) => level.Length > 0 ? $"difficulty {level}" : "no difficulty";

    private static string? Surplus(string[] levels) => levels.Length > MostLevels ? $"The first {MostLevels} of {levels.Length} difficulties." : null;

    /// <summary>A measure of a run, against something that rises; null where it does not apply.</summary>
    private sealed record Measure(string Name, Func<RunRecord, IEnumerable<(double X, double? Y)>> Points);

    private sealed record Subject(string Title, string Name, string Across, string Unit, IReadOnlyList<Measure> Measures)
    {
        public ChartForm Form { get; init; }

        /// <summary>It is measured in <see cref="StepOrigin"/>, which older journals lack.</summary>
        public bool OfOrigin { get; init; }

        /// <summary>Why a run with steps has none of it.</summary>
        public string Missing { get; init; } = "there is none.";

        public string? Note { get; init; }
    }
}
