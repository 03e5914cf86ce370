using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ghpo.Models.Simd;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>What the machine gives a program that does nothing else.</summary>
internal static class MachineRates
{
    /// <summary>Billions of operations a second of torch's matrix product of [1024, 1024] matrices, with the calling thread's number of torch threads.</summary>
    internal static double MultiplyRate(ScalarType dtype)
    {
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        const int Size = 1024;
        Tensor a = randn(Size, Size).to(dtype);
        Tensor b = randn(Size, Size).to(dtype);
        double best = 0;
        for (int run = 0; run < 12; run++)
        {
            long started = Stopwatch.GetTimestamp();
            using Tensor product = a.matmul(b);
            best = Math.Max(best, 2.0 * Size * Size * Size / Stopwatch.GetElapsedTime(started).TotalSeconds / 1e9);
        }

        return best;
    }

    /// <summary>
    /// Billions of bytes a second at which threads together read memory of the given size again and again, from the cache that it fits. It lies as the engine's weights do and has
    /// been written (memory that never was is one page of zeros, which is in every cache); what comes next is asked for ahead.
    /// </summary>
    internal static unsafe double ReadRate(int threads, long bytes)
    {
        const int Piece = 1 << 20;
        using var memory = new NativeBuffer(bytes);
        using var crew = new Crew(threads);
        byte* start = memory.Start;
        int pieces = (int)(bytes / Piece);
        double best = 0;
        for (int run = 0; run < 8; run++)
        {
            long started = Stopwatch.GetTimestamp();
            crew.Run(pieces, (piece, _) => Read(start + (long)piece * Piece, Piece));
            best = Math.Max(best, (double)pieces * Piece / Stopwatch.GetElapsedTime(started).TotalSeconds / 1e9);
        }

        return best;
    }

    /// <returns>The sum of what was read, so that it has to be read.</returns>
    private static unsafe float Read(byte* from, int bytes)
    {
        const int Ahead = 8192;
        Vector512<float> a = default, b = default;
        for (byte* end = from + bytes; from < end; from += 128)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch1(from + Ahead);
                Sse.Prefetch1(from + Ahead + 64);
            }

            a += Vector512.Load((float*)from);
            b += Vector512.Load((float*)from + 16);
        }

        return Vector512.Sum(a + b);
    }
}
