using System.Collections.Immutable;
using Ghpo.Curriculum;

namespace Ghpo.Bench.Simulation;

/// <summary>
/// What a control plane that takes no time would make of the same groups, in virtual time: a free worker takes the next group at the instant it is there, hints before fresh groups and
/// steps in their order; a group that failed is there again at the instant it failed; a step is learned at the instant its last group settles, and step s opens with the
/// commit of step s − 1 − η.
/// </summary>
internal static class IdealSchedule
{
    /// <param name="steps">By step and group, seconds of each attempt.</param>
    /// <returns>When each step is committed, in seconds.</returns>
    public static ImmutableArray<double> Commits(IReadOnlyList<ImmutableArray<ImmutableArray<double>>> steps, int workers, int staleness)
    {
        var pending = new PriorityQueue<(GroupId Group, int Attempt), (int Step, int Attempt, int Index)>();
        var running = new PriorityQueue<(GroupId Group, int Attempt), double>();
        int[] left = [.. steps.Select(step => step.Length)];
        var commits = ImmutableArray.CreateBuilder<double>(steps.Count);
        int opened = 0;
        int free = workers;
        double now = 0;

        void Open()
        {
            for (; opened < steps.Count && opened <= commits.Count + staleness; opened++)
            {
                for (int index = 0; index < steps[opened].Length; index++)
                {
                    pending.Enqueue((new GroupId(opened, index), 0), (opened, 0, index));
                }
            }
        }

        Open();
        while (commits.Count < steps.Count)
        {
            while (free > 0 && pending.TryDequeue(out (GroupId Group, int Attempt) next, out _))
            {
                free--;
                running.Enqueue(next, now + steps[next.Group.Step][next.Group.Index][next.Attempt]);
            }

            running.TryDequeue(out (GroupId Group, int Attempt) done, out now);
            free++;
            if (done.Attempt + 1 < steps[done.Group.Step][done.Group.Index].Length)
            {
                pending.Enqueue((done.Group, done.Attempt + 1), (done.Group.Step, -done.Attempt - 1, done.Group.Index));
                continue;
            }

            left[done.Group.Step]--;
            while (commits.Count < opened && left[commits.Count] == 0)
            {
                commits.Add(now);
                Open();
            }
        }

        return commits.ToImmutable();
    }
}
