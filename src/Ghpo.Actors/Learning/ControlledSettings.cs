using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Problems;

namespace Ghpo.Learning;

/// <summary>What a run was started with, and what its users asked to change before this process began; controls in the journal come between.</summary>
/// <param name="Folder">The run folder.</param>
public sealed record ControlledSettings(GhpoSettings Started, ImmutableArray<ControlRequest> Requests, string Folder)
{
    /// <summary>Difficulty of a problem, for reports; "" where unknown.</summary>
    public Func<ProblemId, string> LevelOf { get; init; } = _ => "";
}
