using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ghpo.Models.Simd;

/// <summary>What is done to one row at a time. Compiled at once with all optimizations, as the kernels are: the first steps of a run are no slower than the rest.</summary>
internal static unsafe class RowMath
{
    /// <summary>y = w · x / √(mean(x²) + ε), as <see cref="RmsNorm"/>. Rows of any length, their own place in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Normalise(float* x, float* weight, float* y, int length, float epsilon)
    {
        Vector512<float> squares = Vector512<float>.Zero;
        int i = 0;
        for (; i + 16 <= length; i += 16)
        {
            Vector512<float> part = Vector512.Load(x + i);
            squares = Vector512.FusedMultiplyAdd(part, part, squares);
        }

        float sum = Vector512.Sum(squares);
        for (; i < length; i++)
        {
            sum += x[i] * x[i];
        }

        float scale = 1 / MathF.Sqrt(sum / length + epsilon);
        for (i = 0; i + 16 <= length; i += 16)
        {
            (Vector512.Load(x + i) * Vector512.Create(scale) * Vector512.Load(weight + i)).Store(y + i);
        }

        for (; i < length; i++)
        {
            y[i] = x[i] * scale * weight[i];
        }
    }

    /// <summary>Turns a head in place by a row of the rotary table (see <see cref="RotaryTable"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Turn(float* head, float* cos, float* signedSin, int size)
    {
        int half = size / 2;
        int i = 0;
        for (; i + 16 <= half; i += 16)
        {
            Vector512<float> first = Vector512.Load(head + i);
            Vector512<float> second = Vector512.Load(head + half + i);
            Vector512.FusedMultiplyAdd(second, Vector512.Load(signedSin + i), first * Vector512.Load(cos + i)).Store(head + i);
            Vector512.FusedMultiplyAdd(first, Vector512.Load(signedSin + half + i), second * Vector512.Load(cos + half + i)).Store(head + half + i);
        }

        for (; i < half; i++)
        {
            float first = head[i];
            float second = head[half + i];
            head[i] = MathF.FusedMultiplyAdd(second, signedSin[i], first * cos[i]);
            head[half + i] = MathF.FusedMultiplyAdd(first, signedSin[half + i], second * cos[half + i]);
        }
    }
}
