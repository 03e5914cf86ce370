using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Inspection.StepFigures;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Node.Journaling;

/// <summary>An event as a reader sees it.</summary>
/// <param name="Step">The step it is about; null: it is about none.</param>
/// <param name="Problems">The problems it is about.</param>
/// <param name="Text">What happened, in a sentence.</param>
internal sealed record EventLine(string Kind, int? Step, GroupId? Group, IReadOnlyList<ProblemId> Problems, string Text)
{
    private const string Hidden = "(left out)";

    /// <summary>The names that <c>--kind</c> takes, and the events that they stand for.</summary>
    private static readonly (string Kind, Type Event)[] Kinds =
    [
        ("planned", typeof(StepPlanned)),
        ("hint", typeof(HintRaised)),
        ("settled", typeof(GroupSettled)),
        ("settled", typeof(GroupPruned)),
        ("outcome", typeof(OutcomeRecorded)),
        ("released", typeof(GroupReleased)),
        ("committed", typeof(StepCommitted)),
        ("checkpoint", typeof(CheckpointTaken)),
        ("evaluated", typeof(PolicyEvaluated)),
        ("epoch", typeof(EpochStarted)),
        ("forked", typeof(RunForked)),
        ("control", typeof(ControlApplied)),
        ("order", typeof(SteeringProtocol.RunSteered)),
        ("order", typeof(SteeringProtocol.MemberSteered)),
    ];

    public static IReadOnlyList<string> KindNames { get; } = [.. Kinds.Select(kind => kind.Kind).Distinct()];

    /// <summary>The manifests of the kinds named.</summary>
    /// <exception cref="UserErrorException">There is no such kind.</exception>
    public static IReadOnlyList<string> ManifestsOf(IEnumerable<string> kinds) =>
    [
        .. kinds.SelectMany(name => KindNames.Contains(name)
            ? Kinds.Where(kind => kind.Kind == name).SelectMany(kind => GhpoEventSerializer.ManifestsOf(kind.Event))
            : throw new UserErrorException($"--kind {name}: there is no such kind of event; there are {string.Join(", ", KindNames)}")),
    ];

    public static EventLine Of(object fact)
    {
        string kind = Kinds.First(kind => kind.Event == fact.GetType()).Kind;
        return GroupFacts.Of(fact) is { } facts
            ? OfGroup(kind, facts.Group, facts.Problem, Describe(facts) + (fact is GroupPruned ? "; its tokens are pruned" : ""))
            : fact switch
            {
                StepPlanned planned => new EventLine(
                    kind, planned.Step, null, [.. planned.Groups.Select(group => group.Problem)],
                    $"{planned.Groups.Length} groups: {string.Join(' ', planned.Groups.Select(group => group.Problem))}"),
                HintRaised raised => OfGroup(
                    kind, raised.Group, raised.Problem, Invariant($"to {Percent(raised.HintRatio)} as attempt {raised.Attempt}, {raised.TokensSpent} tokens spent")),
                OutcomeRecorded outcome => OfGroup(
                    kind, outcome.Group, outcome.Problem,
                    Invariant($"{Name(outcome.Settlement)} at {Percent(outcome.HintRatio)}, {outcome.Correct} of {outcome.Judged} correct")),
                GroupReleased released => OfGroup(
                    kind, released.Group, released.Problem, $"{(released.Solved ? "solved" : "not solved")} at {Percent(released.HintRatio)}"),
                StepCommitted committed => new EventLine(
                    kind, committed.Step, null, [],
                    Invariant($"{committed.Version}, weights {Short(committed.PolicyHash)}, reward {Figure(committed.Report.MeanReward)}, {committed.Report.RolloutTokens} tokens")),
                CheckpointTaken taken => new EventLine(kind, taken.NextStep - 1, null, [], $"{taken.Folder}, digest {Short(taken.Hash)}"),
                PolicyEvaluated evaluated => new EventLine(
                    kind, evaluated.Result.Version.Value - 1, null, [],
                    Invariant($"{evaluated.Result.Version}: accuracy {Figure(evaluated.Result.Accuracy)} on {evaluated.Result.Problems} held-out problems")),
                EpochStarted started => new EventLine(kind, null, null, [], Invariant($"epoch {started.Epoch} begins")),
                RunForked forked => new EventLine(
                    kind, forked.Step, null, [],
                    $"from {forked.Parent} ({forked.ParentFolder}), weights {Short(forked.PolicyHash)}"
                    + (forked.Changes.IsEmpty ? "" : $", with {string.Join(", ", forked.Changes.Select(change => change.Split('=', 2) is [var key, _] && IsSecret(key) ? $"{key}={Hidden}" : change))}")),
                ControlApplied applied => new EventLine(
                    kind, applied.FromStep, null, [], $"{applied.Key} = {(IsSecret(applied.Key) ? Hidden : applied.Value)} from step {applied.FromStep} on, by {applied.By}"),
                SteeringProtocol.RunSteered steered => new EventLine(
                    kind, steered.Step, null, [], $"{Words(steered.Order.ToString())} ordered before the commit of step {steered.Step}, by {steered.By}"),
                SteeringProtocol.MemberSteered steered => new EventLine(
                    kind, steered.Step, null, [], $"{Words(steered.Order.ToString())} of {steered.Member} ordered before the commit of step {steered.Step}, by {steered.By}"),
                _ => throw new InvalidOperationException($"{fact.GetType().Name} has no line"),
            };
    }

    /// <summary>Lines and reports are shown around; what opens a port is not in them.</summary>
    private static bool IsSecret(string key) => key.EndsWith("inspection.token", StringComparison.Ordinal);

    public static string Describe(GroupFacts facts) => Invariant(
        $"{Name(facts.Settlement)} at {Percent(facts.HintRatio)} as attempt {facts.Attempt}, sampled under {facts.Version}: {Verdicts(facts)}; {facts.CompletionTokens} tokens")
        + (facts.ExtraTokens > 0 ? Invariant($" and {facts.ExtraTokens} at lower levels") : "");

    public static string Verdicts(GroupFacts facts) =>
        string.Join(", ", facts.Verdicts.Select(verdict => Invariant($"{verdict.Samples} {Words(verdict.Verdict.ToString())}")));

    public static string Name(Settlement settlement) => Words(settlement.ToString());

    /// <summary>As much of a hash as tells two apart.</summary>
    public static string Short(string hash) => hash[..Math.Min(12, hash.Length)];

    private static EventLine OfGroup(string kind, GroupId group, ProblemId problem, string text) =>
        new(kind, group.Step, group, [problem], $"{problem} {text}");

    private static string Words(string name) => SettingsSchema.Kebab(name).Replace('-', ' ');

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
