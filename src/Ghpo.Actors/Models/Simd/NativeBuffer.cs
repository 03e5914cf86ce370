using System.Runtime.InteropServices;

namespace Ghpo.Models.Simd;

/// <summary>
/// Zeroed memory outside the managed heap, aligned to a vector register and a cache line. On Linux a large one lies in pages of 2 MiB where the system has them: what
/// is read from front to back once a step would otherwise cost an address translation every 4 KiB, beyond which no processor fetches ahead.
/// </summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const int Alignment = 64;

    /// <summary>Bytes from which on memory lies in large pages.</summary>
    internal const int LargePage = 1 << 21;

    /// <summary>MADV_HUGEPAGE.</summary>
    private const int UseLargePages = 14;

    private readonly long _bytes;

    internal NativeBuffer(long bytes)
    {
        _bytes = bytes;
        bool isLarge = bytes >= LargePage && OperatingSystem.IsLinux();
        Start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, Alignment), isLarge ? LargePage : (nuint)Alignment);
        if (isLarge)
        {
            // Advice: a system without large pages refuses it, and all goes on as without.
            _ = Advise(Start, (nuint)bytes, UseLargePages);
        }

        Clear();
    }

    internal static NativeBuffer Floats(long count) => new(count * sizeof(float));

    internal byte* Start { get; private set; }

    internal float* Singles => (float*)Start;

    internal void Clear() => NativeMemory.Clear(Start, (nuint)_bytes);

    public void Dispose()
    {
        NativeMemory.AlignedFree(Start);
        Start = null;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);
}
