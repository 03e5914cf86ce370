using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Runs;
using Ghpo.Rollout;
using static Ghpo.Inspection.RunEvents;

namespace Ghpo.Node.Reporting;

/// <summary>
/// Appends each step to <c>metrics/steps.jsonl</c> and each evaluation to <c>metrics/evaluations.jsonl</c>, flushed line by line, and leaves the
/// run's end in <c>metrics/outcome.json</c> and what it is to reach in <c>metrics/goal.json</c>. Reading takes the last line of a step or version, so a line written again after a resume replaces
/// the earlier one, and passes over a line that a crash cut short. When a run goes on, what a killed process left out is filled in from the
/// run's journal.
/// </summary>
/// <param name="takenOver">Whether another process has the run by now: how it ends is for that one to say.</param>
internal sealed class MetricsFiles(RunFolder folder, TimeProvider time, Func<bool> takenOver) : IRunObserver
{
    private readonly long _begun = time.GetTimestamp();
    private RunGoal? _goal;

    public void Observe(object runEvent, RunProgress progress)
    {
        if (progress.Run is { } run && new RunGoal(run.Steps, run.TokenBudget) is var goal && goal != _goal)
        {
            _goal = goal;
            File.WriteAllText(folder.Goal, JsonSerializer.Serialize(goal, MetricsJson.Default.RunGoal) + "\n");
        }

        switch (runEvent)
        {
            case RunStarted:
                File.Delete(folder.Outcome);
                FillIn();
                break;
            case StepCompleted completed:
                Append(completed.Report);
                break;
            case PolicyMeasured measured:
                Append(measured.Result);
                break;
            case RunEnded ended when !takenOver():
                var record = new RunOutcomeRecord(ended.Outcome, progress.StepsDone, ended.Reason, time.GetElapsedTime(_begun).TotalSeconds);
                File.WriteAllText(folder.Outcome, JsonSerializer.Serialize(record, MetricsJson.Default.RunOutcomeRecord) + "\n");
                break;
        }
    }

    public void Dispose()
    {
    }

    /// <summary>The steps of a run, rising. Empty where none is complete.</summary>
    public static IReadOnlyList<StepReport> ReadSteps(RunFolder folder) =>
        [.. Read(folder.Steps, MetricsJson.Default.StepReport).GroupBy(step => step.Step).Select(same => same.Last()).OrderBy(step => step.Step)];

    /// <summary>The evaluations of a run, by rising version. Empty where there is none.</summary>
    public static IReadOnlyList<EvaluationResult> ReadEvaluations(RunFolder folder) =>
        [.. Read(folder.Evaluations, MetricsJson.Default.EvaluationResult)
            .GroupBy(result => result.Version).Select(same => same.Last()).OrderBy(result => result.Version)];

    /// <summary>What the run is to reach; null where no process has said so yet.</summary>
    public static RunGoal? ReadGoal(RunFolder folder) => Read(folder.Goal, MetricsJson.Default.RunGoal).LastOrDefault();

    /// <summary>How the run ended; null while it runs, or if it was killed.</summary>
    public static RunOutcomeRecord? ReadOutcome(RunFolder folder) => Read(folder.Outcome, MetricsJson.Default.RunOutcomeRecord).LastOrDefault();

    /// <summary>Steps and evaluations that are in the journal, but that a killed process did not come to write here.</summary>
    private void FillIn()
    {
        JournalSettings settings = folder.ReadSettings().Journal;
        if (settings.Provider == JournalProvider.Sqlite && !File.Exists(folder.Journal))
        {
            return;
        }

        HashSet<int> steps = [.. ReadSteps(folder).Select(step => step.Step)];
        HashSet<PolicyVersion> versions = [.. ReadEvaluations(folder).Select(result => result.Version)];
        foreach (object journalled in new JournalReader(settings, folder.Journal).Events(LearnerActor.JournalId))
        {
            switch (journalled)
            {
                case LearnerProtocol.StepCommitted committed when steps.Add(committed.Step):
                    Append(committed.Report);
                    break;
                case LearnerProtocol.PolicyEvaluated evaluated when versions.Add(evaluated.Result.Version):
                    Append(evaluated.Result);
                    break;
            }
        }
    }

    private void Append(StepReport step) => Append(folder.Steps, JsonSerializer.Serialize(step, MetricsJson.Default.StepReport));

    private void Append(EvaluationResult result) =>
        Append(folder.Evaluations, JsonSerializer.Serialize(result, MetricsJson.Default.EvaluationResult));

    private static void Append(string file, string line)
    {
        using var writer = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        // After a crash in the middle of a line the next one begins on a line of its own.
        if (writer.Length > 0)
        {
            writer.Seek(-1, SeekOrigin.End);
            if (writer.ReadByte() != '\n')
            {
                writer.WriteByte((byte)'\n');
            }
        }

        writer.Write(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
        writer.Flush(flushToDisk: false);
    }

    private static List<T> Read<T>(string file, JsonTypeInfo<T> type)
    {
        var records = new List<T>();
        string[] lines = File.Exists(file) ? File.ReadAllLines(file) : [];
        for (int i = 0; i < lines.Length; i++)
        {
            try
            {
                records.Add(JsonSerializer.Deserialize(lines[i], type)!);
            }
            catch (JsonException) when (!lines[i].EndsWith('}'))
            {
                // A line that a crash cut short; the step is written again when the run is resumed.
            }
            catch (JsonException problem)
            {
                throw new UserErrorException($"{file}:{i + 1}: not a line that ghpo wrote: {problem.Message}");
            }
        }

        return records;
    }
}
