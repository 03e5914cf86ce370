using Ghpo.Inspection;

namespace Ghpo.Bench;

/// <summary>What a run measured of itself, and the hash of the weights that it ended with.</summary>
public sealed record MeasuredRun(IReadOnlyList<StepReport> Steps, string PolicyHash);
