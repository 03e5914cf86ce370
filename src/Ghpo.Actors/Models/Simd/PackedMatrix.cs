using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models.Simd;

/// <summary>
/// A weight <c>[N, K]</c> of x·Wᵀ, laid out for the processor: panels of 32 output columns, in each the 32 weights of input 0, then of input 1, and so on. A
/// panel is read from front to back, whatever the number of rows of x. N is filled up with zeros to a whole panel.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Output columns of a panel.</summary>
    internal const int PanelColumns = 32;

    private readonly NativeBuffer _memory;
    private readonly bool _narrow;

    /// <param name="columns">N, outputs.</param>
    /// <param name="depth">K, inputs.</param>
    /// <param name="narrow">bfloat16 instead of float32.</param>
    internal PackedMatrix(int columns, int depth, bool narrow)
    {
        Columns = columns;
        Depth = depth;
        _narrow = narrow;
        Panels = (columns + PanelColumns - 1) / PanelColumns;
        _memory = new NativeBuffer((long)Panels * PanelBytes);
    }

    internal int Columns { get; }

    internal int Depth { get; }

    internal int Panels { get; }

    /// <summary>N filled up to whole panels: the length of an output row.</summary>
    internal int Stride => Panels * PanelColumns;

    internal long Bytes => _memory.Bytes;

    private long PanelBytes => (long)PanelColumns * Depth * (_narrow ? PackedBrain.Size : PackedSingle.Size);

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
    internal void Multiply<TEpilogue>(int panel, float* x, nint stride, int rows, in TEpilogue epilogue)
        where TEpilogue : struct, IEpilogue
    {
        byte* weights = _memory.Start + panel * PanelBytes;
        if (_narrow)
        {
            ProductKernel<PackedBrain, TEpilogue>.Run(x, stride, rows, weights, Depth, epilogue, panel);
        }
        else
        {
            ProductKernel<PackedSingle, TEpilogue>.Run(x, stride, rows, weights, Depth, epilogue, panel);
        }
    }

    /// <summary>Column <paramref name="column"/>'s K weights, widened: an embedding's vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void CopyColumn(int column, float* to)
    {
        int lane = column % PanelColumns;
        byte* from = _memory.Start + column / PanelColumns * PanelBytes;
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

    public void Dispose() => _memory.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackRow(float* from, int column)
    {
        int lane = column % PanelColumns;
        byte* to = _memory.Start + column / PanelColumns * PanelBytes;
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
