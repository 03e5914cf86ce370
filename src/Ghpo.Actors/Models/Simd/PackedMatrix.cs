using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models.Simd;

/// <summary>
/// A weight <c>[N, K]</c> of x·Wᵀ, laid out for the processor: panels of 32 output columns, in each the 32 weights of input 0, then of input 1, and so on. A
/// panel is read from front to back, whatever the number of rows of x. N is filled up with zeros to a whole panel.
/// </summary>
internal sealed unsafe class PackedMatrix
{
    /// <summary>Output columns of a panel.</summary>
    internal const int PanelColumns = 32;

    private readonly byte* _start;
    private readonly bool _narrow;

    /// <param name="columns">N, outputs.</param>
    /// <param name="depth">K, inputs.</param>
    /// <param name="narrow">bfloat16 instead of float32.</param>
    /// <param name="start">Where it lies: <see cref="BytesOf"/> bytes, zeros.</param>
    internal PackedMatrix(int columns, int depth, bool narrow, byte* start)
    {
        Columns = columns;
        Depth = depth;
        _narrow = narrow;
        Panels = PanelsOf(columns);
        _start = start;
    }

    internal int Columns { get; }

    internal int Depth { get; }

    internal int Panels { get; }

    /// <summary>N filled up to whole panels: the length of an output row.</summary>
    internal int Stride => Panels * PanelColumns;

    private long PanelBytes => PanelBytesOf(Depth, _narrow);

    internal static long BytesOf(int columns, int depth, bool narrow) => PanelsOf(columns) * PanelBytesOf(depth, narrow);

    /// <summary>Copies rows of a weight in.</summary>
    /// <param name="weight"><c>[n, K]</c>, any type.</param>
    /// <param name="column">Where its i-th row goes.</param>
    internal void Pack(Tensor weight, Crew crew, Func<int, int> column)
    {
        using DisposeScope scope = NewDisposeScope();
        const int RowsAtOnce = 4096;
        int rows = (int)weight.shape[0];
        for (int first = 0; first < rows; first += RowsAtOnce)
        {
            int count = Math.Min(RowsAtOnce, rows - first);
            using Tensor wide = weight.narrow(0, first, count).to(ScalarType.Float32).cpu().contiguous();
            nint source = TensorMemory.Address(wide);
            int start = first;
            crew.Run(count, (row, _) => PackRow((float*)source + (long)row * Depth, column(start + row)));
        }
    }

    /// <summary>The 32 · panel-th column and those after it of rows [0, <paramref name="rows"/>) of x·Wᵀ.</summary>
    /// <param name="sums">Room for <c>[rows, 32]</c>.</param>
    internal void Multiply<TEpilogue>(int panel, float* x, nint stride, int rows, in TEpilogue epilogue, float* sums)
        where TEpilogue : struct, IEpilogue
    {
        byte* weights = _start + panel * PanelBytes;
        if (_narrow)
        {
            ProductKernel<PackedBrain, TEpilogue>.Run(x, stride, rows, weights, Depth, epilogue, panel, sums);
        }
        else
        {
            ProductKernel<PackedSingle, TEpilogue>.Run(x, stride, rows, weights, Depth, epilogue, panel, sums);
        }
    }

    /// <summary>Column <paramref name="column"/>'s K weights, widened: an embedding's vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void CopyColumn(int column, float* to)
    {
        int lane = column % PanelColumns;
        byte* from = _start + column / PanelColumns * PanelBytes;
        if (_narrow)
        {
            from += lane < 16 ? 4 * lane : 4 * (lane - 16) + 2;
            for (int k = 0; k < Depth; k++)
            {
                to[k] = BitConverter.UInt32BitsToSingle((uint)*(ushort*)(from + (long)k * PanelColumns * PackedBrain.Size) << 16);
            }
        }
        else
        {
            float* single = (float*)from + lane;
            for (int k = 0; k < Depth; k++)
            {
                to[k] = single[(long)k * PanelColumns];
            }
        }
    }

    private static int PanelsOf(int columns) => (columns + PanelColumns - 1) / PanelColumns;

    private static long PanelBytesOf(int depth, bool narrow) => (long)PanelColumns * depth * (narrow ? PackedBrain.Size : PackedSingle.Size);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackRow(float* from, int column)
    {
        int lane = column % PanelColumns;
        byte* to = _start + column / PanelColumns * PanelBytes;
        if (_narrow)
        {
            to += lane < 16 ? 4 * lane : 4 * (lane - 16) + 2;
            for (int k = 0; k < Depth; k++)
            {
                PackedBrain.Store(from[k], to + (long)k * PanelColumns * PackedBrain.Size);
            }
        }
        else
        {
            float* single = (float*)to + lane;
            for (int k = 0; k < Depth; k++)
            {
                single[(long)k * PanelColumns] = from[k];
            }
        }
    }
}
