using System.ComponentModel.DataAnnotations;

namespace Ghpo.Learning;

/// <summary>ghpo.learning.lora</summary>
/// <param name="Rank">r; 0 trains all weights.</param>
/// <param name="Alpha">α: the adapter's product is scaled by α / r.</param>
/// <param name="Targets">Names of the matrices that get an adapter, as q_proj.</param>
public sealed record LoraSettings([property: Range(0, 4096)] int Rank, [property: Range(0.0, 1e6)] double Alpha, IReadOnlyList<string> Targets)
{
    public static LoraSettings Off { get; } = new(0, 16, []);
}
