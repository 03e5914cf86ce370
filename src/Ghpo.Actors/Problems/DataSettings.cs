using System.ComponentModel.DataAnnotations;

namespace Ghpo.Problems;

/// <summary>ghpo.data</summary>
public sealed record DataSettings(
    string Source, DataPreset Preset, DataFields Fields, string HeldOut, [property: Range(0, int.MaxValue)] int Limit, ArithmeticSettings Arithmetic);

public enum DataPreset
{
    Auto,
    Gsm8k,
    Math,
    Svamp,
    Olympiadbench,
    Custom,
}

/// <summary>ghpo.data.fields: the names under which a record holds its parts; empty where it has none.</summary>
public sealed record DataFields(string Id, string Problem, string Solution, string Answer, string Level);

/// <summary>ghpo.data.arithmetic</summary>
public sealed record ArithmeticSettings(
    IReadOnlyList<int> Operations,
    IReadOnlyList<int> HeldOutOperations,
    [property: Range(1, 1_000_000)] int Problems,
    [property: Range(1, 100_000)] int HeldOutProblems,
    long Seed);
