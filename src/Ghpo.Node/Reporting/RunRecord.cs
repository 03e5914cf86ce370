using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Journaling;
using Ghpo.Node.Runs;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Node.Reporting;

/// <summary>A run as its journal alone tells it, of a live run or a finished one.</summary>
/// <param name="Place">The journal's file, or the database without its password.</param>
/// <param name="Home">The folder that a report of it goes to, if there is one: null for a journal that is a database.</param>
/// <param name="Settings">What it was started with; null where no run.conf lies beside the journal, which holds only what was changed later.</param>
/// <param name="Steps">The committed ones, rising.</param>
/// <param name="Evaluations">By rising version.</param>
/// <param name="Turns">What users and restarts did to it, oldest first.</param>
/// <param name="StepsSet">How many steps a user has given it since it was started; null: nobody has.</param>
/// <param name="Written">When its newest step, evaluation or turn was written; null: there is none.</param>
internal sealed record RunRecord(
    string Name,
    string Place,
    string? Home,
    GhpoSettings? Settings,
    IReadOnlyList<CommittedStep> Steps,
    IReadOnlyList<EvaluationResult> Evaluations,
    IReadOnlyList<RunTurn> Turns,
    DateTimeOffset? Written,
    int? StepsSet = null)
{
    private static readonly Type[] _events =
        [typeof(EpochStarted), typeof(StepCommitted), typeof(PolicyEvaluated), typeof(ControlApplied), typeof(SteeringProtocol.RunSteered), typeof(SteeringProtocol.MemberSteered), typeof(RunForked)];

    /// <summary>The evaluation of the base model; null where there was none.</summary>
    public EvaluationResult? Before => Evaluations.FirstOrDefault(result => result.Version.Value == 0);

    /// <summary>The newest evaluation of a trained version; null where there was none.</summary>
    public EvaluationResult? After => Evaluations.LastOrDefault(result => result.Version.Value > 0);

    public StepReport? Last => Steps.Count > 0 ? Steps[^1].Report : null;

    /// <summary>From the first step's beginning to the last one's end, pauses between sessions and evaluations at the ends left out.</summary>
    public TimeSpan TrainingTime => TimeSpan.FromSeconds(Steps.Sum(step => step.Report.StepSeconds));

    /// <param name="run">Name of a run in <c>runs/</c>, a run folder (run.conf or journal.db in it), a journal file, or the connection string of a PostgreSQL database.</param>
    /// <exception cref="UserErrorException">There is no such run, or its journal cannot be read.</exception>
    public static RunRecord Open(string run)
    {
        if (File.Exists(run))
        {
            string file = Path.GetFullPath(run);
            string folder = Path.GetDirectoryName(file)!;
            return Read(Path.GetFileName(file) == "journal.db" ? Path.GetFileName(folder) : Path.GetFileName(file), folder, null, new JournalReader(file));
        }

        string[] places = [run, Path.Combine("runs", run)];
        if (!places.Any(place => File.Exists(Path.Combine(place, "run.conf"))))
        {
            if (places.FirstOrDefault(place => File.Exists(Path.Combine(place, "journal.db"))) is { } bare)
            {
                return Open(Path.Combine(bare, "journal.db"));
            }

            if (run.Contains('=', StringComparison.Ordinal))
            {
                return OpenDatabase(run);
            }
        }

        RunFolder known = RunFolder.Open(run);
        GhpoSettings settings = known.ReadSettings();
        return Read(known.Name, known.Root, settings, new JournalReader(settings.Journal, known.Journal));
    }

    private static RunRecord OpenDatabase(string connectionString)
    {
        var journal = new JournalReader(new JournalSettings(JournalProvider.Postgresql, connectionString, KeepRollouts.All), "");
        return Read(journal.Place.Split('/')[^1], null, null, journal);
    }

    private static RunRecord Read(string name, string? home, GhpoSettings? settings, JournalReader journal)
    {
        var steps = new SortedDictionary<int, CommittedStep>();
        var evaluations = new SortedDictionary<int, EvaluationResult>();
        var turns = new List<RunTurn>();
        int? stepsSet = null;
        DateTimeOffset? begun = null;
        DateTimeOffset? written = null;
        foreach (JournalEntry entry in journal.Entries(LearnerActor.JournalId, [.. _events.SelectMany(GhpoEventSerializer.ManifestsOf)]))
        {
            begun ??= entry.Written;
            written = entry.Written;
            switch (entry.Event)
            {
                case StepCommitted committed:
                    steps[committed.Step] = new CommittedStep(committed.Report, (entry.Written - begun.Value).TotalHours);
                    break;
                case PolicyEvaluated evaluated:
                    evaluations[evaluated.Result.Version.Value] = evaluated.Result;
                    break;
                default:
                    if (entry.Event is ControlApplied { Key: "ghpo.run.steps" } applied)
                    {
                        stepsSet = int.Parse(applied.Value, CultureInfo.InvariantCulture);
                    }

                    int next = steps.Count == 0 ? 0 : steps.Keys.Last() + 1;
                    turns.Add(new RunTurn(entry.Written, next, EventLine.Of(entry.Event).Text));
                    break;
            }
        }

        return new RunRecord(name, journal.Place, home, settings, [.. steps.Values], [.. evaluations.Values], turns, written, stepsSet);
    }
}

/// <param name="Hours">From the run's first event to the step's commit, pauses between sessions included.</param>
internal sealed record CommittedStep(StepReport Report, double Hours);

/// <param name="NextStep">The first step that was not committed yet.</param>
/// <param name="Text">What happened, in a sentence.</param>
internal sealed record RunTurn(DateTimeOffset At, int NextStep, string Text);
