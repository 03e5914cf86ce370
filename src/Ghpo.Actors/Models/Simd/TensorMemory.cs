using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ghpo.Models.Simd;

/// <summary>Where a tensor on the host has its numbers.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first byte of a contiguous tensor; valid while the tensor lives.</summary>
    internal static nint Address(Tensor tensor)
    {
        Span<byte> bytes = tensor.bytes;
        return (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
    }
}
