using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Journal;
using Ghpo.Learning;
using static Ghpo.Inspection.StepFigures;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Inspection;

/// <summary>What is asked of the run as a whole, and the orders that it takes.</summary>
internal sealed class RunVerbs(InspectedRun run)
{
    /// <summary>The most steps that are shown at once.</summary>
    private const int MostSteps = 10_000;

    public VerbPalette Palette => new("run", "The run: how it stands, and orders to it. Every order is journalled with who and when.",
    [
        Once("status", "How the run stands", _ => Status()),
        Once("metrics", "Figures of the last steps, those of earlier processes too", Metrics, Option("last", "how many steps", "10", "-n")),
        Once("pause", "Finish the steps that are begun and begin no other", request => Order(RunOrder.Pause, request)),
        Once("resume", "Go on after a pause", request => Order(RunOrder.Resume, request)),
        Once("stop", "Finish the steps that are begun, take a checkpoint, and end the process", Stop),
        Once("checkpoint", "Take a checkpoint after the step in hand", request => Order(RunOrder.Checkpoint, request)),
        Once(
            "set", "Change a setting from the first step on that is not begun", request => Change(request.Arguments["key"], request.Arguments["value"], request.By),
            Place("key", "path of the setting, as in learning.rate", values: [.. LiveSettings.KeysWhileRunning.Select(key => key[(SettingsSchema.Root.Length + 1)..])]),
            Place("value", "as it would stand in a file", ArgumentKind.Words)),
    ]);

    /// <summary>Changes a setting, for this palette and others.</summary>
    public async Task<IEnumerable<ResponseLine>> Change(string key, string value, string by) =>
        Answer(await run.Run.Ask<object>(new SteeringProtocol.ChangeSetting(key, value, by), InspectedRun.Patience));

    /// <summary>The order to stop, for this palette and others.</summary>
    public Task<IEnumerable<ResponseLine>> Stop(InspectionRequest request) => Order(RunOrder.Stop, request);

    private async Task<IEnumerable<ResponseLine>> Order(RunOrder order, InspectionRequest request) =>
        Answer(await run.Run.Ask<object>(new SteeringProtocol.SteerRun(order, request.By), InspectedRun.Patience));

    private static IEnumerable<ResponseLine> Answer(object answer) => answer switch
    {
        SteeringProtocol.Steered steered => [Line(steered.Said, new { Done = steered.Said, steered.FromStep })],
        SteeringProtocol.NotSteered refused => [new ResponseLine(refused.Problem, Error: true, Misused: refused.Misused)],
        _ => throw new InvalidOperationException($"{answer} is no answer to an order"),
    };

    private async Task<IEnumerable<ResponseLine>> Status()
    {
        RunWatchActor.WatchView view = await run.Watch();
        RunProgress progress = view.Progress;
        LearnerProtocol.LearnerView? learner = view.Watch.Learner;
        StepReport? last = progress.LastStep;
        string state = view.Watch.Ended is { } ended ? ended.Outcome.ToString().ToLowerInvariant()
            : view.Watch.Regrouping is not null ? "starting again"
            : learner is null ? "starting"
            : learner is { Pause: not null, LastStep: null } ? "paused"
            : view.Diagnosis.Stalled ? "stalled"
            : learner.LastStep is not null ? "stopping" : "running";
        int? behind = learner?.Published is { } published ? learner.Opened - published.Value : null;
        // A paused run has no end in sight.
        TimeSpan? remaining = learner?.Pause is null ? progress.Remaining : null;
        TimeSpan? age = view.CheckpointAt is { } at ? view.At - at : null;
        var fact = new
        {
            run.Context.Name,
            State = state,
            Step = learner?.Step ?? progress.StepsDone,
            Steps = progress.Run?.Steps,
            learner?.SettledGroups,
            learner?.GroupsAwaited,
            Activity = view.Watch.Activity,
            Reward = last?.MeanReward,
            last?.Accuracy,
            LearningRate = last?.Learning.LearningRate,
            RolloutTokensPerSecond = last?.RolloutTokensPerSecond(),
            LearnerTokensPerSecond = last?.LearnerTokensPerSecond(),
            StepSeconds = last?.StepSeconds,
            EtaSeconds = remaining?.TotalSeconds,
            Staleness = run.Context.Settings.Rollout.Staleness,
            VersionsBehind = behind,
            CheckpointStep = learner?.CheckpointStep,
            CheckpointAgeSeconds = age?.TotalSeconds,
            PausedBy = learner?.Pause?.By,
            WaitsFor = view.Diagnosis.Sentence,
            view.Diagnosis.Stalled,
        };
        return
        [
            Line($"{run.Context.Name}: {state}, step {fact.Step}/{fact.Steps}{(remaining is { } eta ? $", ETA {Duration(eta)}" : "")}", fact),
            .. last is null ? [] : new[]
            {
                Line($"last step    reward {Figure(last.MeanReward)}  accuracy {Figure(last.Accuracy)}  {string.Join("  ", last.Settlements().Select(part => $"{part.Name}: {Percent(part.Share)}"))}"),
                Line($"rates        rollout {Count(last.RolloutTokensPerSecond())} tok/s  learner {Count(last.LearnerTokensPerSecond())} tok/s  step {last.StepSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s  learning rate {Rate(last.Learning.LearningRate)}"),
            },
            Line($"staleness    {fact.Staleness}{(behind is { } versions ? $", sampling {Math.Max(0, versions)} behind" : "")}"),
            Line($"checkpoint   {(learner is { CheckpointStep: > 0 } ? $"after step {learner.CheckpointStep - 1}" : "none yet")}{(age is { } time ? $", {Duration(time)} ago" : "")}"),
            Line($"now          {view.Diagnosis.Sentence}"),
        ];
    }

    private async Task<IEnumerable<ResponseLine>> Metrics(InspectionRequest request)
    {
        int last = request.Number("last", 1, MostSteps);
        ImmutableList<StepReport> recent = (await run.Watch()).Progress.Recent;
        bool remembered = recent.Count >= last || recent is [{ Step: 0 }, ..];
        IEnumerable<StepReport> steps = remembered ? recent.TakeLast(last) : await Journalled(last);
        return !steps.Any()
            ? [Line("no step is committed yet")]
            : steps.Select(step => Line(
                $"step {step.Step,5}  reward {Figure(step.MeanReward)}  accuracy {Figure(step.Accuracy)}  unsolved {step.Unsolved}/{step.Groups}  "
                + $"gradient norm {Figure(step.Learning.GradientNorm)}  entropy {Figure(step.Entropy())}  learning rate {Rate(step.Learning.LearningRate)}  {step.StepSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s",
                step));
    }

    /// <summary>Read beside the run, on a thread of its own.</summary>
    private Task<StepReport[]> Journalled(int last) => Task.Factory.StartNew(
        () => new JournalReader(run.Context.Settings.Journal, Path.Combine(run.Context.Folder, "journal.db"))
            .Newest(LearnerActor.JournalId, last, [.. GhpoEventSerializer.ManifestsOf(typeof(LearnerProtocol.StepCommitted))])
            .OfType<LearnerProtocol.StepCommitted>().Select(committed => committed.Report).ToArray(),
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private static string Rate(double rate) => rate.ToString("0.###e-0", CultureInfo.InvariantCulture);
}
