using System.Text.Json.Serialization;
using Ghpo.Inspection;
using Ghpo.Learning;

namespace Ghpo.Node.Reporting;

/// <summary>The JSON of the files in <c>metrics/</c>. Non-finite numbers are written by their names, "NaN" and "Infinity".</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    Converters = [typeof(PolicyVersionConverter)])]
[JsonSerializable(typeof(StepReport))]
[JsonSerializable(typeof(EvaluationResult))]
[JsonSerializable(typeof(RunOutcomeRecord))]
[JsonSerializable(typeof(RunGoal))]
internal sealed partial class MetricsJson : JsonSerializerContext;

/// <summary>How a session of a run ended, as <c>metrics/outcome.json</c> holds it.</summary>
/// <param name="Steps">Steps committed since the run began.</param>
/// <param name="Seconds">Time of this session, from start to end, evaluations included.</param>
internal sealed record RunOutcomeRecord(RunOutcome Outcome, int Steps, string? Reason, double Seconds);

/// <summary>What a run is to reach, as <c>metrics/goal.json</c> holds it: run.conf says what it was when the run was started.</summary>
/// <param name="TokenBudget">0: none.</param>
internal sealed record RunGoal(int Steps, long TokenBudget);
