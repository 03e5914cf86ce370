using System.Numerics;
using Ghpo.Models.Simd;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// Adds LoRA adapters to weights: W' = W + s·B·A, s = α / r, with A <c>[r, in]</c> and B <c>[out, r]</c>. Source: Hu et al. 2021, arXiv 2106.09685, section 4.1.
/// <para>
/// Each element is one chain of fused multiply-adds in float32: b₀·a₀, then + b₁·a₁ and so on in the order of the rank, then w + s·sum; at the end it is rounded to
/// W's type. No library chooses an order, so the same weights and adapter give the same bits on every machine, and whoever has them can merge for himself.
/// </para>
/// </summary>
internal static class LoraMerge
{
    private const string NamePrefix = "base_model.model.";
    private const string MatrixSuffix = ".weight";

    /// <summary>Rows of W that are added to at a time.</summary>
    private const long BlockRows = 1024;

    internal static string NameOfA(string path) => $"{NamePrefix}{path}.lora_A.weight";

    internal static string NameOfB(string path) => $"{NamePrefix}{path}.lora_B.weight";

    /// <summary>A weight with what an adapter adds to it; a copy where it adds nothing. A new tensor on the host, of the weight's type.</summary>
    /// <param name="name">Of the weight, as Hugging Face names it.</param>
    /// <param name="adapter">A and B under PEFT's names.</param>
    internal static Tensor Merged(string name, Tensor weight, IReadOnlyDictionary<string, Tensor> adapter, double scale)
    {
        using IDisposable noGradient = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor merged = weight.detach().cpu().contiguous().clone();
        if (name.EndsWith(MatrixSuffix, StringComparison.Ordinal)
            && adapter.TryGetValue(NameOfA(name[..^MatrixSuffix.Length]), out Tensor? a)
            && adapter.TryGetValue(NameOfB(name[..^MatrixSuffix.Length]), out Tensor? b))
        {
            Tensor down = Single(a);
            Tensor up = Single(b);
            for (long row = 0; row < merged.shape[0]; row += BlockRows)
            {
                using DisposeScope block = NewDisposeScope();
                long rows = Math.Min(BlockRows, merged.shape[0] - row);
                Tensor part = merged.narrow(0, row, rows);
                Tensor sum = part.to(ScalarType.Float32, copy: true);
                Add(sum, down, up.narrow(0, row, rows), (float)scale);
                part.copy_(sum);
            }
        }

        return merged.DetachFromDisposeScope();
    }

    private static Tensor Single(Tensor tensor) => tensor.detach().cpu().to(ScalarType.Float32).contiguous();

    /// <param name="sum">W <c>[rows, in]</c> in float32, which is added to.</param>
    private static unsafe void Add(Tensor sum, Tensor a, Tensor b, float scale)
    {
        (int rows, int width, int rank) = ((int)sum.shape[0], (int)sum.shape[1], (int)a.shape[0]);
        float* w = (float*)TensorMemory.Address(sum);
        float* down = (float*)TensorMemory.Address(a);
        float* up = (float*)TensorMemory.Address(b);
        int whole = width - (width % Vector<float>.Count);
        for (int row = 0; row < rows; row++, w += width, up += rank)
        {
            for (int i = 0; i < whole; i += Vector<float>.Count)
            {
                Vector<float> product = Vector<float>.Zero;
                for (int k = 0; k < rank; k++)
                {
                    product = Vector.FusedMultiplyAdd(new Vector<float>(up[k]), Vector.Load(down + (k * (long)width) + i), product);
                }

                Vector.Store(Vector.FusedMultiplyAdd(new Vector<float>(scale), product, Vector.Load(w + i)), w + i);
            }

            for (int i = whole; i < width; i++)
            {
                float product = 0;
                for (int k = 0; k < rank; k++)
                {
                    product = MathF.FusedMultiplyAdd(up[k], down[(k * (long)width) + i], product);
                }

                w[i] = MathF.FusedMultiplyAdd(scale, product, w[i]);
            }
        }
    }
}
