using System.ComponentModel.DataAnnotations;

namespace Ghpo.Learning;

/// <summary>ghpo.checkpoints</summary>
public sealed record CheckpointSettings([property: Range(1, int.MaxValue)] int EverySteps, [property: Range(1, 100)] int Keep);
