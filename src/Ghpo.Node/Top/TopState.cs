using System.Collections.Immutable;

namespace Ghpo.Node.Top;

/// <summary>What <c>ghpo top</c> shows: what a host last answered. Whatever it did not answer is null or empty.</summary>
/// <param name="Address">Who is asked.</param>
/// <param name="Steps">Oldest first, at most <see cref="MostSteps"/>.</param>
/// <param name="Log">The last lines, oldest first.</param>
/// <param name="Node">What a node without the learner is at; null: it has the learner.</param>
/// <param name="Problem">Why the host has not answered all; null: it has.</param>
internal sealed record TopState(
    string Address,
    TopRun? Run,
    ImmutableArray<TopStep> Steps,
    ImmutableArray<TopWorker> Workers,
    ImmutableArray<TopStage> Stages,
    ImmutableArray<string> Log,
    string? Node,
    string? Problem)
{
    /// <summary>Steps that are remembered while it is open; the host itself knows fewer.</summary>
    public const int MostSteps = 200;

    public static TopState Of(string address) => new(address, null, [], [], [], [], null, null);

    /// <summary>Steps that are known already are not shown twice.</summary>
    public TopState WithSteps(IEnumerable<TopStep> news) => this with
    {
        Steps = [.. Steps.Concat(news).GroupBy(step => step.Step).Select(same => same.Last()).OrderBy(step => step.Step).TakeLast(MostSteps)],
    };
}

/// <param name="State">running, paused, stalled, starting, …</param>
/// <param name="WaitsFor">The sentence of `why`.</param>
internal sealed record TopRun(
    string Name,
    string State,
    int Step,
    int? Steps,
    string Activity,
    double? RolloutTokensPerSecond,
    double? LearnerTokensPerSecond,
    double? StepSeconds,
    double? LearningRate,
    double? EtaSeconds,
    int Staleness,
    int? VersionsBehind,
    int? CheckpointStep,
    double? CheckpointAgeSeconds,
    string WaitsFor,
    bool Stalled);

/// <param name="HintShare">Share of the groups that were not solved without a hint.</param>
internal sealed record TopStep(int Step, double Reward, double Accuracy, double HintShare);

/// <param name="Node">"": the host tells of its own worker alone; so with the state.</param>
/// <param name="TokensPerSecond">Null: not known yet.</param>
internal sealed record TopWorker(string Name, string Node, string State, int? Version, int Groups, int Sequences, double? TokensPerSecond, string Why);

internal sealed record TopStage(string Name, long In, long Out, int Groups, int Bound, string State, double SinceSeconds);
