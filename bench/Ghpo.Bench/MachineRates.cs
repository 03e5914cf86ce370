using System.Diagnostics;
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

    /// <summary>Billions of bytes a second at which threads together read a buffer of the given size again and again: from the cache that it fits.</summary>
    internal static double ReadRate(int threads, long bytes)
    {
        float[][] parts = [.. Enumerable.Range(0, threads).Select(_ => new float[bytes / 4 / threads])];
        double best = 0;
        for (int run = 0; run < 8; run++)
        {
            long started = Stopwatch.GetTimestamp();
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, part => Sum(parts[part]));
            best = Math.Max(best, bytes / Stopwatch.GetElapsedTime(started).TotalSeconds / 1e9);
        }

        return best;
    }

    private static float Sum(float[] values)
    {
        int width = System.Numerics.Vector<float>.Count;
        System.Numerics.Vector<float> a = default, b = default, c = default, d = default;
        for (int i = 0; i + 4 * width <= values.Length; i += 4 * width)
        {
            a += new System.Numerics.Vector<float>(values, i);
            b += new System.Numerics.Vector<float>(values, i + width);
            c += new System.Numerics.Vector<float>(values, i + 2 * width);
            d += new System.Numerics.Vector<float>(values, i + 3 * width);
        }

        return System.Numerics.Vector.Sum(a + b + c + d);
    }
}
