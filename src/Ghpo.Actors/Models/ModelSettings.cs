namespace Ghpo.Models;

/// <summary>ghpo.model</summary>
/// <param name="Device">cpu, cuda or cuda:N.</param>
public sealed record ModelSettings(string Path, string Device, ComputeType Dtype);

public enum ComputeType
{
    Float32,
    Bfloat16,
}
