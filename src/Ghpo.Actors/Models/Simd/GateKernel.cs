using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ghpo.Models.Simd;

/// <summary>
/// SwiGLU for training, in float32 whatever the type: <c>y = a · σ(a) · b</c>. Backward: <c>da = g · b · σ · (1 + a · (1 − σ))</c>, <c>db = g · a · σ</c>.
/// Counts are multiples of 16. Source: Shazeer 2020, equation 6.
/// </summary>
internal static unsafe class GateKernel<T>
    where T : struct, IPackedType
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Forward(byte* gate, byte* up, byte* y, long count)
    {
        for (long i = 0; i < count * T.Size; i += 16 * T.Size)
        {
            Vector512<float> a = T.Load16(gate + i);
            T.Store16(a * Sigmoid(a) * T.Load16(up + i), y + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Backward(byte* gate, byte* up, byte* gradient, byte* ofGate, byte* ofUp, long count)
    {
        for (long i = 0; i < count * T.Size; i += 16 * T.Size)
        {
            Vector512<float> a = T.Load16(gate + i);
            Vector512<float> g = T.Load16(gradient + i);
            Vector512<float> sigma = Sigmoid(a);
            Vector512<float> slope = sigma * Vector512.FusedMultiplyAdd(a, Vector512<float>.One - sigma, Vector512<float>.One);
            T.Store16(g * T.Load16(up + i) * slope, ofGate + i);
            T.Store16(g * a * sigma, ofUp + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + VectorMath.Exp(-x));
}
