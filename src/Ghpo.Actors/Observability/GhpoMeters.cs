using System.Diagnostics.Metrics;

namespace Ghpo.Observability;

/// <summary>
/// Every instrument of a process, under one meter. Names, units and descriptions follow OpenTelemetry's conventions. Recording costs some nanoseconds while
/// nobody listens; a process has one run or one worker node, so an instrument needs no attribute that says whose it is.
/// </summary>
public static class GhpoMeters
{
    public const string Name = "Ghpo";

    public const string Stage = "ghpo.stage";
    public const string Worker = "ghpo.worker";
    public const string WorkerState = "ghpo.worker.state";
    public const string Settlement = "ghpo.settlement";
    public const string HintRatio = "ghpo.hint.ratio";
    public const string Verdict = "ghpo.verdict";
    public const string TokenUse = "ghpo.token.use";

    private static readonly Meter _meter = new(Name, typeof(GhpoMeters).Assembly.GetName().Version?.ToString(3));

    /// <summary>Seconds; from a verified group to a step of hours.</summary>
    private static readonly InstrumentAdvice<double> _durations = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
    };

    // The learner's process, from what the run tells: RunMeters.
    public static Counter<long> Steps { get; } = _meter.CreateCounter<long>("ghpo.run.steps", "{step}", "Steps committed by this process");

    public static Histogram<double> StepDuration { get; } = Seconds("ghpo.run.step.duration", "From one commit to the next");

    public static Histogram<double> RolloutDuration { get; } = Seconds("ghpo.run.rollout.duration", "From a step's opening to its last settled group");

    public static Histogram<double> LearningDuration { get; } = Seconds("ghpo.run.learning.duration", "Time of the trainer in a step");

    public static Counter<long> Groups { get; } = _meter.CreateCounter<long>(
        "ghpo.run.groups", "{group}", $"Groups of committed steps, by how they settled ({Settlement}) and, where they were solved, at which hint ratio ({HintRatio})");

    public static Counter<long> Answers { get; } = _meter.CreateCounter<long>("ghpo.run.answers", "{answer}", $"Answers of committed steps, by {Verdict}");

    public static Counter<long> Tokens { get; } = _meter.CreateCounter<long>(
        "ghpo.run.tokens", "{token}", $"Completion tokens sampled for committed steps, by {TokenUse}: trained, or dropped because the group went on to a higher hint level");

    public static Counter<long> LearnerTokens { get; } = _meter.CreateCounter<long>(
        "ghpo.run.learner.tokens", "{token}", "Prompt and completion tokens passed through the learner's model");

    public static Counter<long> Checkpoints { get; } = _meter.CreateCounter<long>("ghpo.run.checkpoints", "{checkpoint}", "Checkpoints written by this process");

    public static Counter<long> Stalls { get; } = _meter.CreateCounter<long>("ghpo.run.stalls", "{stall}", "Stalls that were named");

    public static Gauge<long> Stalled { get; } = _meter.CreateGauge<long>("ghpo.run.stalled", "1", "1 while the run stands still, else 0");

    public static Gauge<double> Reward { get; } = _meter.CreateGauge<double>("ghpo.run.reward", "1", "Mean reward of the last step");

    public static Gauge<double> Accuracy { get; } = _meter.CreateGauge<double>("ghpo.run.accuracy", "1", "Share of correct answers in the last step");

    public static Gauge<double> HintShare { get; } = _meter.CreateGauge<double>("ghpo.run.hint.share", "1", "Share of the last step's groups that were not solved without a hint");

    public static Gauge<double> Staleness { get; } = _meter.CreateGauge<double>("ghpo.run.staleness", "{step}", "Mean over the last step's groups: the step minus the version that they were sampled under");

    public static Gauge<double> GradientNorm { get; } = _meter.CreateGauge<double>("ghpo.run.gradient.norm", "1", "Gradient norm of the last step before clipping");

    public static Gauge<double> Entropy { get; } = _meter.CreateGauge<double>("ghpo.run.entropy", "1", "Mean entropy of the policy over the trained tokens of the last step that had any, in nats");

    public static Gauge<double> LearningRate { get; } = _meter.CreateGauge<double>("ghpo.run.learning.rate", "1", "Learning rate of the last step");

    public static Gauge<long> PolicyVersion { get; } = _meter.CreateGauge<long>("ghpo.run.policy.version", "1", "Version of the weights: optimizer steps since the base model");

    public static Gauge<double> HeldOutAccuracy { get; } = _meter.CreateGauge<double>("ghpo.run.held_out.accuracy", "1", "Accuracy on the held-out problems, when it was last measured");

    public static Gauge<long> Workers { get; } = _meter.CreateGauge<long>("ghpo.run.workers", "{worker}", $"Rollout workers of all nodes, by {WorkerState}");

    public static Gauge<long> StageGroups { get; } = _meter.CreateGauge<long>("ghpo.pipeline.groups", "{group}", $"Groups inside each stage of the pipeline, by {Stage}");

    public static Histogram<double> StageDuration { get; } = Seconds("ghpo.pipeline.stage.duration", $"What a stage takes for a group, its waiting for a worker included, by {Stage}");

    // Wherever a worker is.
    public static Counter<long> WorkerTokens { get; } = _meter.CreateCounter<long>("ghpo.worker.tokens", "{token}", $"Completion tokens sampled by a worker of this process, by {Worker}");

    public static Gauge<long> WorkerSequences { get; } = _meter.CreateGauge<long>("ghpo.worker.sequences", "{sequence}", $"Sequences that a worker of this process decodes together, by {Worker}");

    public static Histogram<double> WorkerGroupDuration { get; } = Seconds("ghpo.worker.group.duration", $"From a group's first token to its last in a worker of this process, by {Worker}");

    public static Gauge<long> WorkerPolicy { get; } = _meter.CreateGauge<long>("ghpo.worker.policy.version", "1", $"Version of the policy that a worker of this process holds, by {Worker}");

    public static Histogram<double> PolicyFetchDuration { get; } = Seconds("ghpo.worker.policy.fetch.duration", "What fetching a policy from other nodes takes");

    /// <summary>All of them, in the order above.</summary>
    public static IReadOnlyList<Instrument> All { get; } =
    [
        Steps, StepDuration, RolloutDuration, LearningDuration, Groups, Answers, Tokens, LearnerTokens, Checkpoints, Stalls, Stalled, Reward, Accuracy, HintShare,
        Staleness, GradientNorm, Entropy, LearningRate, PolicyVersion, HeldOutAccuracy, Workers, StageGroups, StageDuration, WorkerTokens, WorkerSequences, WorkerGroupDuration,
        WorkerPolicy, PolicyFetchDuration,
    ];

    private static Histogram<double> Seconds(string name, string description) => _meter.CreateHistogram(name, "s", description, tags: null, advice: _durations);
}
