using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Node.Runs;

namespace Ghpo.Node.Reporting;

/// <summary>A run as its files tell it.</summary>
/// <param name="Outcome">Null while the run goes on, or if it was killed.</param>
internal sealed record RunSummary(
    RunFolder Folder,
    GhpoSettings Settings,
    IReadOnlyList<StepReport> Steps,
    IReadOnlyList<EvaluationResult> Evaluations,
    RunOutcomeRecord? Outcome,
    RunGoal? Goal)
{
    /// <summary>How many steps it is to take, as set last.</summary>
    public int StepsWanted => Goal?.Steps ?? Settings.Run.Steps;

    /// <summary>The evaluation of the base model; null where there was none.</summary>
    public EvaluationResult? Before => Evaluations.FirstOrDefault(result => result.Version.Value == 0);

    /// <summary>The newest evaluation of a trained version; null where there was none.</summary>
    public EvaluationResult? After => Evaluations.LastOrDefault(result => result.Version.Value > 0);

    /// <summary>From the first step's beginning to the last one's end, pauses between sessions and evaluations at the ends left out.</summary>
    public TimeSpan TrainingTime => TimeSpan.FromSeconds(Steps.Sum(step => step.StepSeconds));

    public static RunSummary Read(RunFolder folder) => new(
        folder, folder.ReadSettings(), MetricsFiles.ReadSteps(folder), MetricsFiles.ReadEvaluations(folder), MetricsFiles.ReadOutcome(folder), MetricsFiles.ReadGoal(folder));
}
