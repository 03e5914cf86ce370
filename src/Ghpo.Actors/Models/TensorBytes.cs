using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>A tensor's elements as bytes, in the order of its indices.</summary>
internal static class TensorBytes
{
    internal delegate void Visitor(ReadOnlySpan<byte> bytes);

    /// <summary>Hands the bytes over in parts, since a span ends at 2³¹ − 1 bytes. The tensor may be on any device and of any layout.</summary>
    internal static void Visit(Tensor tensor, Visitor visit)
    {
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor flat = tensor.cpu().contiguous().view(-1);
        long part = (1L << 28) / SafetensorsType.Width(flat.dtype);
        for (long element = 0; element < flat.shape[0]; element += part)
        {
            visit(flat.narrow(0, element, Math.Min(part, flat.shape[0] - element)).bytes);
        }
    }
}
