using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models.Simd;

/// <summary>What training's row-wise steps have in common: where they apply, and how their work is cut. The cut depends on the shape alone, so any number of threads gives the same bits.</summary>
internal static class TrainingWork
{
    /// <summary>Rows of an item of work.</summary>
    internal const int Rows = 64;

    /// <summary>Whether the processor's own kernels take this tensor: on a CPU with AVX-512, float32 or bfloat16, its last dimension a multiple of a register.</summary>
    internal static bool Takes(Tensor x) =>
        SimdDecoder.IsSupported && x.device_type == DeviceType.CPU && x.dtype is ScalarType.Float32 or ScalarType.BFloat16 && x.shape[^1] % 16 == 0;

    internal static int Items(long rows) => checked((int)((rows + Rows - 1) / Rows));

    /// <summary>Calls <paramref name="work"/> with the first row, the number of rows and the item, for all rows.</summary>
    /// <param name="crew">Null: on the calling thread alone.</param>
    internal static void Run(Crew? crew, long rows, Action<long, long, int> work)
    {
        int items = Items(rows);
        if (crew is null)
        {
            for (int item = 0; item < items; item++)
            {
                Do(item, 0);
            }
        }
        else
        {
            crew.Run(items, Do);
        }

        void Do(int item, int thread)
        {
            long start = (long)item * Rows;
            work(start, Math.Min(Rows, rows - start), item);
        }
    }
}
