using System.Collections.Immutable;
using Ghpo.Problems;
using static Ghpo.Curriculum.CurriculumProtocol;

namespace Ghpo.Curriculum;

/// <summary>
/// Which problems a step trains on: the next ones of the current pass over the data set. Where a pass ends within a step the next one
/// goes on, so every problem is seen once a pass, and a step with more groups than there are problems sees some of them again.
/// </summary>
public sealed class CurriculumPlanner(CurriculumSettings settings, long seed, ImmutableArray<ProblemId> problems)
{
    public int Problems => problems.Length;

    /// <summary>Passes over the data set that are complete.</summary>
    public int PassOf(CurriculumState state) => (int)(state.Drawn / problems.Length);

    /// <summary>Problems of the current pass that are drawn.</summary>
    public int CursorOf(CurriculumState state) => (int)(state.Drawn % problems.Length);

    /// <summary>Plans the next step of <paramref name="state"/>.</summary>
    public StepPlanned Plan(CurriculumState state)
    {
        int pass = PassOf(state);
        int cursor = CursorOf(state);
        ImmutableArray<int>? order = null;
        var groups = ImmutableArray.CreateBuilder<PlannedGroup>(settings.GroupsPerStep);
        for (int index = 0; index < settings.GroupsPerStep; index++)
        {
            if (cursor == problems.Length)
            {
                (pass, cursor, order) = (pass + 1, 0, null);
            }

            order ??= OrderOf(pass);
            groups.Add(new PlannedGroup(new GroupId(state.NextStep, index), problems[order.Value[cursor]]));
            cursor++;
        }

        return new StepPlanned(state.NextStep, groups.MoveToImmutable());
    }

    private ImmutableArray<int> OrderOf(int pass) => settings.Order switch
    {
        ProblemOrder.Shuffled => Permutation.Of(seed, pass, problems.Length),
        ProblemOrder.Sequential => [.. Enumerable.Range(0, problems.Length)],
        _ => throw new InvalidOperationException($"curriculum.order {settings.Order} is unknown"),
    };
}
