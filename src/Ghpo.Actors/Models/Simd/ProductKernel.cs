using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ghpo.Models.Simd;

/// <summary>
/// x·Wᵀ for one panel of 32 columns: <c>y[r, c] = Σ_k x[r, k] · w[k, c]</c>, summed in float32 from k = 0 up, one fused multiply-add a term. However many
/// rows a call has, and in whatever company, each element is that same chain of operations: its bits depend on its row and column alone.
/// <para>
/// Eight rows take 16 accumulators, two registers of weights and one of x, so a step of k is 16 multiply-adds on 10 loads: the two multipliers of
/// an AVX-512 core stay busy, and a weight is read from memory once for all rows.
/// </para>
/// </summary>
internal static unsafe class ProductKernel<TWeight, TEpilogue>
    where TWeight : struct, IPackedType
    where TEpilogue : struct, IEpilogue
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(float* x, nint stride, int rows, byte* weights, nint depth, in TEpilogue epilogue, nint panel)
    {
        int row = 0;
        for (; row + 8 <= rows; row += 8)
        {
            Rows8(x + row * stride, stride, weights, depth, epilogue, row, panel);
        }

        if (row + 4 <= rows)
        {
            Rows4(x + row * stride, stride, weights, depth, epilogue, row, panel);
            row += 4;
        }

        if (row + 2 <= rows)
        {
            Rows2(x + row * stride, stride, weights, depth, epilogue, row, panel);
            row += 2;
        }

        if (row < rows)
        {
            Rows1(x + row * stride, stride, weights, depth, epilogue, row, panel);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows8(float* x, nint stride, byte* weights, nint depth, in TEpilogue epilogue, nint row, nint panel)
    {
        float* x0 = x;
        float* x1 = x + stride;
        float* x2 = x + 2 * stride;
        float* x3 = x + 3 * stride;
        float* x4 = x + 4 * stride;
        float* x5 = x + 5 * stride;
        float* x6 = x + 6 * stride;
        float* x7 = x + 7 * stride;
        Vector512<float> low0 = Vector512<float>.Zero, high0 = Vector512<float>.Zero;
        Vector512<float> low1 = Vector512<float>.Zero, high1 = Vector512<float>.Zero;
        Vector512<float> low2 = Vector512<float>.Zero, high2 = Vector512<float>.Zero;
        Vector512<float> low3 = Vector512<float>.Zero, high3 = Vector512<float>.Zero;
        Vector512<float> low4 = Vector512<float>.Zero, high4 = Vector512<float>.Zero;
        Vector512<float> low5 = Vector512<float>.Zero, high5 = Vector512<float>.Zero;
        Vector512<float> low6 = Vector512<float>.Zero, high6 = Vector512<float>.Zero;
        Vector512<float> low7 = Vector512<float>.Zero, high7 = Vector512<float>.Zero;
        for (nint k = 0; k < depth; k++)
        {
            (Vector512<float> low, Vector512<float> high) = TWeight.Load32(weights);
            Vector512<float> v0 = Vector512.Create(x0[k]);
            low0 = Vector512.FusedMultiplyAdd(low, v0, low0);
            high0 = Vector512.FusedMultiplyAdd(high, v0, high0);
            Vector512<float> v1 = Vector512.Create(x1[k]);
            low1 = Vector512.FusedMultiplyAdd(low, v1, low1);
            high1 = Vector512.FusedMultiplyAdd(high, v1, high1);
            Vector512<float> v2 = Vector512.Create(x2[k]);
            low2 = Vector512.FusedMultiplyAdd(low, v2, low2);
            high2 = Vector512.FusedMultiplyAdd(high, v2, high2);
            Vector512<float> v3 = Vector512.Create(x3[k]);
            low3 = Vector512.FusedMultiplyAdd(low, v3, low3);
            high3 = Vector512.FusedMultiplyAdd(high, v3, high3);
            Vector512<float> v4 = Vector512.Create(x4[k]);
            low4 = Vector512.FusedMultiplyAdd(low, v4, low4);
            high4 = Vector512.FusedMultiplyAdd(high, v4, high4);
            Vector512<float> v5 = Vector512.Create(x5[k]);
            low5 = Vector512.FusedMultiplyAdd(low, v5, low5);
            high5 = Vector512.FusedMultiplyAdd(high, v5, high5);
            Vector512<float> v6 = Vector512.Create(x6[k]);
            low6 = Vector512.FusedMultiplyAdd(low, v6, low6);
            high6 = Vector512.FusedMultiplyAdd(high, v6, high6);
            Vector512<float> v7 = Vector512.Create(x7[k]);
            low7 = Vector512.FusedMultiplyAdd(low, v7, low7);
            high7 = Vector512.FusedMultiplyAdd(high, v7, high7);
            weights += PackedMatrix.PanelColumns * TWeight.Size;
        }

        epilogue.Store(row, panel, low0, high0);
        epilogue.Store(row + 1, panel, low1, high1);
        epilogue.Store(row + 2, panel, low2, high2);
        epilogue.Store(row + 3, panel, low3, high3);
        epilogue.Store(row + 4, panel, low4, high4);
        epilogue.Store(row + 5, panel, low5, high5);
        epilogue.Store(row + 6, panel, low6, high6);
        epilogue.Store(row + 7, panel, low7, high7);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4(float* x, nint stride, byte* weights, nint depth, in TEpilogue epilogue, nint row, nint panel)
    {
        float* x0 = x;
        float* x1 = x + stride;
        float* x2 = x + 2 * stride;
        float* x3 = x + 3 * stride;
        Vector512<float> low0 = Vector512<float>.Zero, high0 = Vector512<float>.Zero;
        Vector512<float> low1 = Vector512<float>.Zero, high1 = Vector512<float>.Zero;
        Vector512<float> low2 = Vector512<float>.Zero, high2 = Vector512<float>.Zero;
        Vector512<float> low3 = Vector512<float>.Zero, high3 = Vector512<float>.Zero;
        for (nint k = 0; k < depth; k++)
        {
            (Vector512<float> low, Vector512<float> high) = TWeight.Load32(weights);
            Vector512<float> v0 = Vector512.Create(x0[k]);
            low0 = Vector512.FusedMultiplyAdd(low, v0, low0);
            high0 = Vector512.FusedMultiplyAdd(high, v0, high0);
            Vector512<float> v1 = Vector512.Create(x1[k]);
            low1 = Vector512.FusedMultiplyAdd(low, v1, low1);
            high1 = Vector512.FusedMultiplyAdd(high, v1, high1);
            Vector512<float> v2 = Vector512.Create(x2[k]);
            low2 = Vector512.FusedMultiplyAdd(low, v2, low2);
            high2 = Vector512.FusedMultiplyAdd(high, v2, high2);
            Vector512<float> v3 = Vector512.Create(x3[k]);
            low3 = Vector512.FusedMultiplyAdd(low, v3, low3);
            high3 = Vector512.FusedMultiplyAdd(high, v3, high3);
            weights += PackedMatrix.PanelColumns * TWeight.Size;
        }

        epilogue.Store(row, panel, low0, high0);
        epilogue.Store(row + 1, panel, low1, high1);
        epilogue.Store(row + 2, panel, low2, high2);
        epilogue.Store(row + 3, panel, low3, high3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2(float* x, nint stride, byte* weights, nint depth, in TEpilogue epilogue, nint row, nint panel)
    {
        float* x0 = x;
        float* x1 = x + stride;
        Vector512<float> low0 = Vector512<float>.Zero, high0 = Vector512<float>.Zero;
        Vector512<float> low1 = Vector512<float>.Zero, high1 = Vector512<float>.Zero;
        for (nint k = 0; k < depth; k++)
        {
            (Vector512<float> low, Vector512<float> high) = TWeight.Load32(weights);
            Vector512<float> v0 = Vector512.Create(x0[k]);
            low0 = Vector512.FusedMultiplyAdd(low, v0, low0);
            high0 = Vector512.FusedMultiplyAdd(high, v0, high0);
            Vector512<float> v1 = Vector512.Create(x1[k]);
            low1 = Vector512.FusedMultiplyAdd(low, v1, low1);
            high1 = Vector512.FusedMultiplyAdd(high, v1, high1);
            weights += PackedMatrix.PanelColumns * TWeight.Size;
        }

        epilogue.Store(row, panel, low0, high0);
        epilogue.Store(row + 1, panel, low1, high1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1(float* x, nint stride, byte* weights, nint depth, in TEpilogue epilogue, nint row, nint panel)
    {
        float* x0 = x;
        Vector512<float> low0 = Vector512<float>.Zero, high0 = Vector512<float>.Zero;
        for (nint k = 0; k < depth; k++)
        {
            (Vector512<float> low, Vector512<float> high) = TWeight.Load32(weights);
            Vector512<float> v0 = Vector512.Create(x0[k]);
            low0 = Vector512.FusedMultiplyAdd(low, v0, low0);
            high0 = Vector512.FusedMultiplyAdd(high, v0, high0);
            weights += PackedMatrix.PanelColumns * TWeight.Size;
        }

        epilogue.Store(row, panel, low0, high0);
    }
}
