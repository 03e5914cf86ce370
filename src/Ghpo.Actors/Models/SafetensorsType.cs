using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Element types under the names that safetensors gives them.</summary>
internal static class SafetensorsType
{
    private static readonly (string Name, ScalarType Type, int Width)[] Types =
    [
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("F64", ScalarType.Float64, 8),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("U8", ScalarType.Byte, 1),
    ];

    internal static string Names => string.Join(", ", Types.Select(type => type.Name));

    internal static ScalarType? Parse(string name) => Types.Where(type => type.Name == name).Select(type => (ScalarType?)type.Type).FirstOrDefault();

    internal static string Name(ScalarType dtype) => Of(dtype).Name;

    /// <summary>Bytes an element takes.</summary>
    internal static int Width(ScalarType dtype) => Of(dtype).Width;

    private static (string Name, ScalarType Type, int Width) Of(ScalarType dtype) =>
        Types.FirstOrDefault(type => type.Type == dtype) is { Name: not null } found
            ? found
            : throw new ArgumentOutOfRangeException(nameof(dtype), dtype, $"safetensors files hold {Names}.");
}
