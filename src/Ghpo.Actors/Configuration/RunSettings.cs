using System.ComponentModel.DataAnnotations;

namespace Ghpo.Configuration;

/// <summary>ghpo.run</summary>
public sealed record RunSettings(
    string Name, string Folder, long Seed, [property: Range(1, int.MaxValue)] int Steps, [property: Range(0L, long.MaxValue)] long TokenBudget, bool Deterministic);
