using Ghpo.Curriculum;

namespace Ghpo.Hints;

/// <summary>A group that solved its problem, and the hint ratio it did so at.</summary>
public readonly record struct SolvedAt(GroupId Group, double HintRatio);

/// <summary>
/// Where a problem was last solved. A group's start level looks at earlier steps only: groups of one step settle in any order, and what they
/// are sampled under must not depend on it. So the newest solution is kept, and the newest one of a step before that.
/// </summary>
public sealed record ProblemMemory(SolvedAt Newest, SolvedAt? Earlier)
{
    public ProblemMemory With(SolvedAt solved)
    {
        SolvedAt[] known = Earlier is { } earlier ? [solved, Newest, earlier] : [solved, Newest];
        SolvedAt newest = known.MaxBy(solution => solution.Group);
        SolvedAt[] before = [.. known.Where(solution => solution.Group.Step < newest.Group.Step)];
        return new ProblemMemory(newest, before.Length == 0 ? null : before.MaxBy(solution => solution.Group));
    }

    /// <summary>The ratio at which the problem was last solved before <paramref name="step"/>; null if that is not known.</summary>
    public double? RatioBefore(int step) =>
        Newest.Group.Step < step ? Newest.HintRatio : Earlier is { } earlier && earlier.Group.Step < step ? earlier.HintRatio : null;
}
