using System.Globalization;
using Ghpo.Inspection;
using Ghpo.Learning;
using static Ghpo.Inspection.RunEvents;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Reporting;

/// <summary>One line for each step: for logs, pipes and tests.</summary>
internal sealed class PlainView(TextWriter output) : IRunView
{
    public void Observe(object runEvent, RunProgress progress)
    {
        string? line = runEvent switch
        {
            RunStarted started => Describe(started),
            StepCompleted => Describe(progress),
            PolicyMeasured measured => Describe(measured.Result),
            CheckpointWritten checkpoint => $"checkpoint after step {checkpoint.NextStep}: {checkpoint.Folder}",
            _ => Describe(runEvent),
        };
        if (line is not null)
        {
            Note(line);
        }
    }

    public void Note(string text)
    {
        lock (output)
        {
            output.WriteLine(text);
            output.Flush();
        }
    }

    public void Dispose()
    {
    }

    /// <summary>What users and inspection did; null for anything else.</summary>
    internal static string? Describe(object runEvent) => runEvent switch
    {
        RunOrdered ordered => $"{ordered.Order.ToString().ToLowerInvariant()} ordered by {ordered.By}",
        SettingChanged changed => $"{changed.Key} = {changed.Value} from step {changed.FromStep} on, set by {changed.By}",
        Stalled { Over: true } over => $"the stall is over: {over.Sentence}",
        Stalled stalled => $"STALLED: {stalled.Sentence}",
        InspectionOpened opened => $"look in with: ghpo pbm {opened.Address}{(opened.Note is { } note ? $" ({note})" : "")}",
        MetricsServed served => $"metrics at {served.Address}metrics",
        _ => null,
    };

    internal static string Describe(RunStarted started)
    {
        string budget = started.TokenBudget > 0 ? $" or {Count(started.TokenBudget)} tokens" : "";
        string from = started.NextStep > 0 ? $"; resumed after step {started.NextStep}" : "";
        string skipped = started.Skipped is { } note ? Environment.NewLine + note : "";
        return $"run {started.Run}: {started.Steps} steps{budget}, {Count(started.Problems)} problems, {Count(started.HeldOutProblems)} held out{from}{skipped}";
    }

    internal static string Describe(EvaluationResult result)
    {
        IEnumerable<string> levels = result.Levels.Select(level => $"{level.Level}: {level.Accuracy.ToString("0.00", CultureInfo.InvariantCulture)}");
        return $"held-out accuracy at {result.Version}: {Figure(result.Accuracy)} ({string.Join("  ", levels)})";
    }

    private static string Describe(RunProgress progress)
    {
        Inspection.StepReport step = progress.LastStep!;
        string settled = string.Join(" | ", step.Settlements().Select(part => $"{part.Name}: {Percent(part.Share)}"));
        string remaining = progress.Remaining is { } time ? $"  ETA {Duration(time)}" : "";
        string seconds = step.StepSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        return $"step {progress.StepsDone}/{progress.Run?.Steps}  reward {Figure(step.MeanReward)}  accuracy {Figure(step.Accuracy)}  "
            + $"settled {settled}  gradient norm {Figure(step.Learning.GradientNorm)}  rollout {Count(step.RolloutTokensPerSecond())} tok/s  "
            + $"learner {Count(step.LearnerTokensPerSecond())} tok/s  {seconds} s{remaining}";
    }
}
