using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>ghpo.model</summary>
/// <param name="Device">cpu, cuda or cuda:N.</param>
public sealed record ModelSettings(string Path, string Device, ComputeType Dtype);

public enum ComputeType
{
    Float32,
    Bfloat16,
}

/// <summary>Torch's names for the types of the computation.</summary>
public static class ComputeTypes
{
    public static ScalarType Scalar(this ComputeType type) => type == ComputeType.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
}
