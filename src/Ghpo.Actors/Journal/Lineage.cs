using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Problems;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>Where a group came from and what became of it.</summary>
/// <param name="Levels">Hint ratio ω of each attempt, in order; the last one is what it settled at.</param>
/// <param name="Committed">The step that it belongs to is in the weights.</param>
/// <param name="TokensKept">The journal still holds its tokens.</param>
public sealed record GroupLineage(GroupFacts Facts, ImmutableArray<double> Levels, bool Committed, bool TokensKept);

/// <summary>What made a step.</summary>
/// <param name="HashBefore">Hash of the weights that the step began with; null: the base model's, which no event names.</param>
public sealed record StepLineage(StepCommitted Commit, string? HashBefore, ImmutableArray<GroupLineage> Groups);

/// <summary>What a problem was used for.</summary>
/// <param name="Statistics">As the curriculum keeps them; null where no group of it has settled.</param>
/// <param name="Memory">Where it was last solved, as the hint schedule keeps it; null where it never was.</param>
/// <param name="Open">Groups of it that are planned and have not settled.</param>
public sealed record ProblemLineage(
    ProblemId Problem,
    ProblemStatistics? Statistics,
    ProblemMemory? Memory,
    ImmutableArray<GroupLineage> Groups,
    ImmutableArray<PlannedGroup> Open);

/// <summary>Traces steps and problems back to the rollouts, hints and verdicts behind them.</summary>
public static class Lineage
{
    /// <exception cref="UserErrorException">The step is not committed; says which are.</exception>
    public static StepLineage OfStep(JournalReader journal, int step)
    {
        var groups = new Trace(group => group.Step == step);
        StepCommitted? before = null;
        foreach (JournalEntry entry in journal.AllEntries(
            [.. new[] { typeof(HintRaised), typeof(GroupSettled), typeof(GroupPruned), typeof(StepCommitted) }.SelectMany(GhpoEventSerializer.ManifestsOf)]))
        {
            groups.Add(entry.Event);
            if (entry.Event is StepCommitted committed)
            {
                if (committed.Step == step)
                {
                    return new StepLineage(committed, before?.PolicyHash, groups.Settled(committedThrough: step));
                }

                before = committed;
            }
        }

        throw RunHistory.NotCommitted(journal, step, before?.Step);
    }

    /// <param name="staleness">η of the run.</param>
    /// <exception cref="UserErrorException">The run has not planned the problem.</exception>
    public static ProblemLineage OfProblem(JournalReader journal, int staleness, ProblemId problem)
    {
        HashSet<GroupId> planned = [];
        var groups = new Trace(planned.Contains);
        RunState state = RunState.Empty(staleness);
        foreach (JournalEntry entry in journal.AllEntries())
        {
            state = state.Apply(entry.Event);
            if (entry.Event is CurriculumProtocol.StepPlanned plan)
            {
                planned.UnionWith(plan.Groups.Where(group => group.Problem == problem).Select(group => group.Group));
            }

            groups.Add(entry.Event);
        }

        return planned.Count == 0
            ? throw new UserErrorException($"{journal.Place}: no step has used problem {problem}; `ghpo journal show RUN --kind planned` lists those in use.")
            : new ProblemLineage(
                problem,
                state.Curriculum.Problems.GetValueOrDefault(problem),
                state.Hints.Memory.GetValueOrDefault(problem),
                groups.Settled(state.Learner.NextStep - 1),
                [.. state.OpenGroups.Where(group => group.Problem == problem)]);
    }

    /// <summary>What is read about some groups.</summary>
    private sealed class Trace(Func<GroupId, bool> wanted)
    {
        private readonly SortedDictionary<GroupId, (GroupFacts Facts, bool TokensKept)> _settled = [];
        private readonly Dictionary<GroupId, List<HintRaised>> _raised = [];

        internal void Add(object fact)
        {
            if (fact is HintRaised raised && wanted(raised.Group))
            {
                (_raised.TryGetValue(raised.Group, out List<HintRaised>? hints) ? hints : _raised[raised.Group] = []).Add(raised);
            }
            else if (GroupFacts.Of(fact) is { } facts && wanted(facts.Group))
            {
                _settled.TryAdd(facts.Group, (facts, fact is GroupSettled));
            }
        }

        internal ImmutableArray<GroupLineage> Settled(int committedThrough) =>
        [
            .. _settled.Values.Select(settled => new GroupLineage(
                settled.Facts, LevelsOf(settled.Facts.Group), settled.Facts.Group.Step <= committedThrough, settled.TokensKept)),
        ];

        /// <summary>An attempt without hint is no event.</summary>
        private ImmutableArray<double> LevelsOf(GroupId group)
        {
            List<HintRaised> raised = _raised.GetValueOrDefault(group, []);
            return [.. raised is [{ Attempt: 0 }, ..] ? [] : new[] { 0.0 }, .. raised.Select(hint => hint.HintRatio)];
        }
    }
}
