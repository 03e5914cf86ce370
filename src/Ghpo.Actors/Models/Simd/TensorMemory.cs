using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ghpo.Models.Simd;

/// <summary>Where a tensor on the host has its numbers.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first byte of a contiguous tensor; valid while the tensor lives.</summary>
    internal static nint Address(Tensor tensor)
    {
        // A span holds less than 2 GiB; the first row is enough to know where a larger tensor begins.
        using Tensor? first = tensor.NumberOfElements * tensor.ElementSize > int.MaxValue ? tensor.detach().narrow(0, 0, 1) : null;
        Span<byte> bytes = (first ?? tensor).bytes;
        return (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
    }
}
