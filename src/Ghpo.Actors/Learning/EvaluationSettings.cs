using System.ComponentModel.DataAnnotations;

namespace Ghpo.Learning;

/// <summary>ghpo.evaluation</summary>
public sealed record EvaluationSettings(
    bool Enabled,
    [property: Range(0, int.MaxValue)] int EverySteps,
    [property: Range(0.0, 100.0)] double Temperature,
    [property: Range(1, 1024)] int Answers);
