using Ghpo.Models.Simd;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Root mean square layer normalisation over the last dimension, as Hugging Face computes it.</summary>
public static class RmsNorm
{
    /// <summary>As <see cref="Apply"/>, on the processor's own kernel where there is one.</summary>
    /// <param name="crew">Threads of that kernel; null: the caller's alone.</param>
    internal static Tensor Of(Tensor x, Tensor weight, double epsilon, Crew? crew) =>
        TrainingWork.Takes(x) ? FusedNorm.Of(x, weight, epsilon, crew) : Apply(x, weight, epsilon);

    /// <summary>
    /// y = w · x / √(mean(x²) + ε); x <c>[..., d]</c>, w <c>[d]</c>. The mean is taken in float32 whatever the type of x.
    /// Source: Zhang and Sennrich 2019, equation 4.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon)
    {
        if (x.dtype == ScalarType.Float32)
        {
            using Tensor scale = x.square().mean([-1], keepdim: true).add(epsilon).rsqrt();
            return x.mul(scale).mul(weight);
        }

        Tensor wide = x.to(ScalarType.Float32);
        return wide.mul(wide.square().mean([-1], keepdim: true).add(epsilon).rsqrt()).to(x.dtype).mul(weight);
    }
}
