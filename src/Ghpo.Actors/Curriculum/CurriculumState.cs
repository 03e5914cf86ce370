using System.Collections.Immutable;
using Ghpo.Problems;
using static Ghpo.Curriculum.CurriculumProtocol;

namespace Ghpo.Curriculum;

/// <summary>
/// The curriculum as a fold over its events. What a plan takes from it is Drawn alone, so a plan is the same however outcomes arrive.
/// </summary>
/// <param name="NextStep">The first step without a plan.</param>
/// <param name="Drawn">Problems drawn since the run began; with the number of problems it gives pass and cursor.</param>
/// <param name="ClosedThrough">The last step that the learner has closed, and with it every one before; −1: none.</param>
/// <param name="Open">Planned steps that are not closed.</param>
/// <param name="Problems">How each problem seen so far went.</param>
public sealed record CurriculumState(
    int NextStep,
    long Drawn,
    int ClosedThrough,
    ImmutableSortedDictionary<int, PlannedStep> Open,
    ImmutableDictionary<ProblemId, ProblemStatistics> Problems)
{
    public static CurriculumState Empty { get; } = new(
        0, 0, -1, ImmutableSortedDictionary<int, PlannedStep>.Empty, ImmutableDictionary<ProblemId, ProblemStatistics>.Empty);

    public CurriculumState Apply(StepPlanned planned) => this with
    {
        NextStep = planned.Step + 1,
        Drawn = Drawn + planned.Groups.Length,
        Open = Open.SetItem(planned.Step, new PlannedStep(planned.Groups, [])),
    };

    public CurriculumState Apply(OutcomeRecorded outcome)
    {
        if (HasOutcome(outcome.Group))
        {
            return this;
        }

        PlannedStep step = Open[outcome.Group.Step];
        ProblemStatistics before = Problems.GetValueOrDefault(outcome.Problem, ProblemStatistics.None);
        return this with
        {
            Open = Open.SetItem(outcome.Group.Step, step with { Outcomes = step.Outcomes.Add(outcome.Group.Index) }),
            Problems = Problems.SetItem(outcome.Problem, before.With(outcome)),
        };
    }

    /// <summary>
    /// Forgets plans and outcomes of a step and of all before it. No event: after a recovery the learner closes again what it has committed.
    /// </summary>
    public CurriculumState Close(int step) => step <= ClosedThrough
        ? this
        : this with { ClosedThrough = step, Open = Open.RemoveRange(Open.Keys.TakeWhile(open => open <= step)) };

    /// <summary>True if a further outcome of the group would be a duplicate.</summary>
    public bool HasOutcome(GroupId group) =>
        group.Step <= ClosedThrough || (Open.TryGetValue(group.Step, out PlannedStep? step) && step.Outcomes.Contains(group.Index));
}

/// <summary>A plan that is still needed, and the indexes of its groups whose outcome is recorded.</summary>
public sealed record PlannedStep(ImmutableArray<PlannedGroup> Groups, ImmutableSortedSet<int> Outcomes);
