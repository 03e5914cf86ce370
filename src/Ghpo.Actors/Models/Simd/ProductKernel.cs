using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ghpo.Models.Simd;

/// <summary>
/// x·Wᵀ for one panel of 32 columns: <c>y[r, c] = Σ_k x[r, k] · w[k, c]</c>, summed in float32 from k = 0 up, one fused multiply-add a term. However many
/// rows a call has, and in whatever company, each element is that same chain of operations: its bits depend on its row and column alone.
/// <code>
/// block   256 steps of k: the weights that stay in the first-level cache while all rows pass
/// tile    8, 4, 2 or 1 rows of a block; eight take 16 accumulators, two registers of weights and one of x: 16 multiply-adds on 10 loads a step
/// </code>
/// Between two blocks of a panel the sums of a tile lie in memory, as they are. While a block is computed the next one in memory is fetched into the second-level
/// cache, each tile's share in its turn: a panel comes from far away once a call, and computing does not wait for it if the caller goes on with the next panel.
/// </summary>
internal static unsafe class ProductKernel<TWeight, TEpilogue>
    where TWeight : struct, IPackedType
    where TEpilogue : struct, IEpilogue
{
    private const int BlockSteps = 256;

    /// <summary>Bytes of a step's weights: one or two cache lines.</summary>
    private static int StepBytes => PackedMatrix.PanelColumns * TWeight.Size;

    /// <param name="sums">Room for <c>[rows, 32]</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(float* x, nint stride, int rows, byte* weights, nint depth, in TEpilogue epilogue, nint panel, float* sums)
    {
        int tiles = rows / Rows8.Count + BitOperations.PopCount((uint)(rows % Rows8.Count));
        nint share = (StepBytes + tiles - 1) / tiles;
        for (nint start = 0; start < depth; start += BlockSteps)
        {
            nint steps = Math.Min(BlockSteps, depth - start);
            var block = new Block(weights + start * StepBytes, steps, weights + (start + BlockSteps) * StepBytes, share, start == 0, start + steps == depth);
            int row = 0;
            for (; row + Rows8.Count <= rows; row += Rows8.Count)
            {
                Tile<Rows8>(x + row * stride + start, stride, ref block, sums + row * PackedMatrix.PanelColumns, epilogue, row, panel);
            }

            if (row + Rows4.Count <= rows)
            {
                Tile<Rows4>(x + row * stride + start, stride, ref block, sums + row * PackedMatrix.PanelColumns, epilogue, row, panel);
                row += Rows4.Count;
            }

            if (row + Rows2.Count <= rows)
            {
                Tile<Rows2>(x + row * stride + start, stride, ref block, sums + row * PackedMatrix.PanelColumns, epilogue, row, panel);
                row += Rows2.Count;
            }

            if (row < rows)
            {
                Tile<Rows1>(x + row * stride + start, stride, ref block, sums + row * PackedMatrix.PanelColumns, epilogue, row, panel);
            }
        }
    }

    /// <summary>One shape for all numbers of rows: the compiler leaves out what is beyond <typeparamref name="TRows"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TRows>(float* x, nint stride, ref Block block, float* sums, in TEpilogue epilogue, nint row, nint panel)
        where TRows : struct, IRowCount
    {
        Vector512<float> low0 = Vector512<float>.Zero, high0 = Vector512<float>.Zero;
        Vector512<float> low1 = Vector512<float>.Zero, high1 = Vector512<float>.Zero;
        Vector512<float> low2 = Vector512<float>.Zero, high2 = Vector512<float>.Zero;
        Vector512<float> low3 = Vector512<float>.Zero, high3 = Vector512<float>.Zero;
        Vector512<float> low4 = Vector512<float>.Zero, high4 = Vector512<float>.Zero;
        Vector512<float> low5 = Vector512<float>.Zero, high5 = Vector512<float>.Zero;
        Vector512<float> low6 = Vector512<float>.Zero, high6 = Vector512<float>.Zero;
        Vector512<float> low7 = Vector512<float>.Zero, high7 = Vector512<float>.Zero;
        if (!block.IsFirst)
        {
            Load<TRows>(0, sums, ref low0, ref high0);
            Load<TRows>(1, sums, ref low1, ref high1);
            Load<TRows>(2, sums, ref low2, ref high2);
            Load<TRows>(3, sums, ref low3, ref high3);
            Load<TRows>(4, sums, ref low4, ref high4);
            Load<TRows>(5, sums, ref low5, ref high5);
            Load<TRows>(6, sums, ref low6, ref high6);
            Load<TRows>(7, sums, ref low7, ref high7);
        }

        // Two pointers and multiples of the stride are what the processor's addresses can express: no registers for eight rows.
        float* upper = x + 4 * stride;
        nint stride3 = 3 * stride;
        byte* weights = block.Weights;
        byte* end = weights + block.Steps * StepBytes;
        byte* ahead = block.Ahead;
        nint share = block.Share;
        block.Ahead = ahead + block.Steps * share;
        do
        {
            Sse.Prefetch1(ahead);
            if (StepBytes > 64)
            {
                Sse.Prefetch1(ahead + 64);
            }

            ahead += share;
            (Vector512<float> low, Vector512<float> high) = TWeight.Load32(weights);
            Add<TRows>(0, x, low, high, ref low0, ref high0);
            Add<TRows>(1, x + stride, low, high, ref low1, ref high1);
            Add<TRows>(2, x + 2 * stride, low, high, ref low2, ref high2);
            Add<TRows>(3, x + stride3, low, high, ref low3, ref high3);
            Add<TRows>(4, upper, low, high, ref low4, ref high4);
            Add<TRows>(5, upper + stride, low, high, ref low5, ref high5);
            Add<TRows>(6, upper + 2 * stride, low, high, ref low6, ref high6);
            Add<TRows>(7, upper + stride3, low, high, ref low7, ref high7);
            x++;
            upper++;
            weights += StepBytes;
        }
        while (weights < end);

        if (block.IsLast)
        {
            Finish<TRows>(0, epilogue, row, panel, low0, high0);
            Finish<TRows>(1, epilogue, row, panel, low1, high1);
            Finish<TRows>(2, epilogue, row, panel, low2, high2);
            Finish<TRows>(3, epilogue, row, panel, low3, high3);
            Finish<TRows>(4, epilogue, row, panel, low4, high4);
            Finish<TRows>(5, epilogue, row, panel, low5, high5);
            Finish<TRows>(6, epilogue, row, panel, low6, high6);
            Finish<TRows>(7, epilogue, row, panel, low7, high7);
        }
        else
        {
            Keep<TRows>(0, sums, low0, high0);
            Keep<TRows>(1, sums, low1, high1);
            Keep<TRows>(2, sums, low2, high2);
            Keep<TRows>(3, sums, low3, high3);
            Keep<TRows>(4, sums, low4, high4);
            Keep<TRows>(5, sums, low5, high5);
            Keep<TRows>(6, sums, low6, high6);
            Keep<TRows>(7, sums, low7, high7);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TRows>(int row, float* x, Vector512<float> low, Vector512<float> high, ref Vector512<float> sumLow, ref Vector512<float> sumHigh)
        where TRows : struct, IRowCount
    {
        if (row < TRows.Count)
        {
            Vector512<float> v = Vector512.Create(*x);
            sumLow = Vector512.FusedMultiplyAdd(low, v, sumLow);
            sumHigh = Vector512.FusedMultiplyAdd(high, v, sumHigh);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<TRows>(int row, float* sums, ref Vector512<float> low, ref Vector512<float> high)
        where TRows : struct, IRowCount
    {
        if (row < TRows.Count)
        {
            low = Vector512.Load(sums + row * PackedMatrix.PanelColumns);
            high = Vector512.Load(sums + row * PackedMatrix.PanelColumns + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<TRows>(int row, float* sums, Vector512<float> low, Vector512<float> high)
        where TRows : struct, IRowCount
    {
        if (row < TRows.Count)
        {
            low.Store(sums + row * PackedMatrix.PanelColumns);
            high.Store(sums + row * PackedMatrix.PanelColumns + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TRows>(int row, in TEpilogue epilogue, nint first, nint panel, Vector512<float> low, Vector512<float> high)
        where TRows : struct, IRowCount
    {
        if (row < TRows.Count)
        {
            epilogue.Store(first + row, panel, low, high);
        }
    }

    private struct Block(byte* weights, nint steps, byte* ahead, nint share, bool isFirst, bool isLast)
    {
        internal readonly byte* Weights = weights;
        internal readonly nint Steps = steps;

        /// <summary>What the next tile fetches, going on by <see cref="Share"/> bytes a step.</summary>
        internal byte* Ahead = ahead;
        internal readonly nint Share = share;

        /// <summary>Sums begin here, and end in the last one.</summary>
        internal readonly bool IsFirst = isFirst;
        internal readonly bool IsLast = isLast;
    }
}

/// <summary>Rows of a tile, known to the compiler.</summary>
internal interface IRowCount
{
    static abstract int Count { get; }
}

internal readonly struct Rows8 : IRowCount
{
    public static int Count => 8;
}

internal readonly struct Rows4 : IRowCount
{
    public static int Count => 4;
}

internal readonly struct Rows2 : IRowCount
{
    public static int Count => 2;
}

internal readonly struct Rows1 : IRowCount
{
    public static int Count => 1;
}
