using System.Collections.Immutable;
using Ghpo.Configuration;

namespace Ghpo.Learning;

/// <summary>What a run was started with, and what its users asked to change before this process began; controls in the journal come between.</summary>
/// <param name="Folder">The run folder.</param>
public sealed record ControlledSettings(GhpoSettings Started, ImmutableArray<ControlRequest> Requests, string Folder);
