using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ghpo.Models.Simd;

/// <summary>
/// RMSNorm of rows for training, in float32 whatever the type: <c>y = w · x · s</c>, <c>s = 1 / √(mean(x²) + ε)</c>. Backward, with h = g · w:
/// <c>dx = s · h − x · s³ · Σ(h x) / d</c>, <c>dw = Σ_rows g · x · s</c>. Rows are a multiple of 16 long.
/// </summary>
internal static unsafe class NormKernel<T>
    where T : struct, IPackedType
{
    /// <param name="scale">Where s goes, one a row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Forward(byte* x, byte* weight, byte* y, float* scale, long rows, int length, float epsilon)
    {
        for (long row = 0; row < rows; row++)
        {
            byte* from = x + row * length * T.Size;
            byte* to = y + row * length * T.Size;
            Vector512<float> squares = Vector512<float>.Zero;
            for (int i = 0; i < length; i += 16)
            {
                Vector512<float> part = T.Load16(from + i * T.Size);
                squares = Vector512.FusedMultiplyAdd(part, part, squares);
            }

            float s = 1 / MathF.Sqrt(Vector512.Sum(squares) / length + epsilon);
            scale[row] = s;
            for (int i = 0; i < length; i += 16)
            {
                T.Store16(T.Load16(from + i * T.Size) * Vector512.Create(s) * T.Load16(weight + i * T.Size), to + i * T.Size);
            }
        }
    }

    /// <param name="ofWeight">float32: these rows' share of dw is added.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Backward(byte* x, byte* weight, float* scale, byte* gradient, byte* ofX, float* ofWeight, long rows, int length)
    {
        for (long row = 0; row < rows; row++)
        {
            long offset = row * length * T.Size;
            Vector512<float> s = Vector512.Create(scale[row]);
            Vector512<float> products = Vector512<float>.Zero;
            for (int i = 0; i < length; i += 16)
            {
                Vector512<float> part = T.Load16(x + offset + i * T.Size);
                Vector512<float> g = T.Load16(gradient + offset + i * T.Size);
                products = Vector512.FusedMultiplyAdd(g * T.Load16(weight + i * T.Size), part, products);
                Vector512.FusedMultiplyAdd(g * part, s, Vector512.Load(ofWeight + i)).Store(ofWeight + i);
            }

            Vector512<float> along = Vector512.Create(-scale[row] * scale[row] * scale[row] * Vector512.Sum(products) / length);
            for (int i = 0; i < length; i += 16)
            {
                Vector512<float> h = T.Load16(gradient + offset + i * T.Size) * T.Load16(weight + i * T.Size);
                T.Store16(Vector512.FusedMultiplyAdd(T.Load16(x + offset + i * T.Size), along, h * s), ofX + offset + i * T.Size);
            }
        }
    }
}
