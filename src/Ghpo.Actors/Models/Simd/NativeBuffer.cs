using System.Runtime.InteropServices;

namespace Ghpo.Models.Simd;

/// <summary>Zeroed memory outside the managed heap, aligned to a vector register and a cache line.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const int Alignment = 64;

    internal NativeBuffer(long bytes)
    {
        Bytes = bytes;
        Start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, Alignment), Alignment);
        Clear();
    }

    internal static NativeBuffer Floats(long count) => new(count * sizeof(float));

    internal long Bytes { get; }

    internal byte* Start { get; private set; }

    internal float* Singles => (float*)Start;

    internal void Clear() => NativeMemory.Clear(Start, (nuint)Bytes);

    public void Dispose()
    {
        NativeMemory.AlignedFree(Start);
        Start = null;
    }
}
