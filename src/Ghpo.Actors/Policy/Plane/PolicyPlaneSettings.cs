using System.ComponentModel.DataAnnotations;

namespace Ghpo.Policy.Plane;

/// <summary>ghpo.cluster.policy-plane</summary>
/// <param name="ChunkMegabytes">2²⁰ bytes a chunk.</param>
/// <param name="Connections">Chunks that a fetch asks for at a time.</param>
/// <param name="Transfers">Chunks that are sent at a time.</param>
public sealed record PolicyPlaneSettings(
    [property: Range(0, 65535)] int Port,
    [property: Range(1, 64)] int ChunkMegabytes,
    [property: Range(1, 16)] int Connections,
    [property: Range(1, 1024)] int Transfers)
{
    public int ChunkBytes => ChunkMegabytes << 20;
}
