using System.ComponentModel.DataAnnotations;

namespace Ghpo.Curriculum;

/// <summary>ghpo.curriculum</summary>
public sealed record CurriculumSettings([property: Range(1, 100_000)] int GroupsPerStep, ProblemOrder Order);

public enum ProblemOrder
{
    Shuffled,
    Sequential,
}
