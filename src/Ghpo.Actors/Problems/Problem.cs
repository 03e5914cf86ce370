namespace Ghpo.Problems;

/// <summary>Stable name of a problem within its data set.</summary>
public readonly record struct ProblemId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>A problem with a verifiable answer.</summary>
/// <param name="Id">Unique within the data set.</param>
/// <param name="Text">What the policy is asked.</param>
/// <param name="Answer">The reference answer, without marker.</param>
/// <param name="Solution">The worked solution that hints are cut from; null where the data set has none (guidance is skipped then).</param>
/// <param name="Level">Difficulty label for reports, "" where unknown.</param>
public sealed record Problem(ProblemId Id, string Text, string Answer, string? Solution, string Level);

/// <summary>Problems to train on and problems to measure on. The two share none.</summary>
public sealed record ProblemSet(string Name, IReadOnlyList<Problem> Train, IReadOnlyList<Problem> HeldOut)
{
    /// <summary>Records of the data files that make no problem, or not a training problem, each with its reason.</summary>
    public IReadOnlyList<SkippedRow> Skipped { get; init; } = [];
}
