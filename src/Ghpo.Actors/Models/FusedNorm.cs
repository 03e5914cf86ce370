using Ghpo.Models.Simd;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// <see cref="RmsNorm"/> with its backward pass, each in one pass over memory (<see cref="NormKernel{T}"/>). Keeps x and one number a row, where torch's seven
/// operations keep several tensors like x.
/// </summary>
internal sealed class FusedNorm : autograd.SingleTensorFunction<FusedNorm>
{
    public override string Name => nameof(FusedNorm);

    /// <param name="x"><c>[..., d]</c>, one that <see cref="TrainingWork.Takes"/>.</param>
    /// <param name="weight"><c>[d]</c>, of the same type.</param>
    internal static Tensor Of(Tensor x, Tensor weight, double epsilon, Crew? crew)
    {
        // What forward leaves for apply to take up goes with it.
        using var scope = NewDisposeScope();
        return apply(x, weight, (float)epsilon, new CrewBox(crew)).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        using var scope = NewDisposeScope();
        (Tensor x, Tensor weight) = (((Tensor)vars[0]).contiguous(), (Tensor)vars[1]);
        Crew? crew = ((CrewBox)vars[3]).Crew;
        Tensor y = empty_like(x);
        Tensor scale = empty([x.NumberOfElements / x.shape[^1]], ScalarType.Float32);
        if (x.dtype == ScalarType.BFloat16)
        {
            Forward<PackedBrain>(x, weight, y, scale, (float)vars[2], crew);
        }
        else
        {
            Forward<PackedSingle>(x, weight, y, scale, (float)vars[2], crew);
        }

        // What is saved is taken up only after this has returned.
        ctx.save_for_backward([x.MoveToOuterDisposeScope(), weight, scale.MoveToOuterDisposeScope()]);
        ctx.save_data("crew", vars[3]);
        return y.MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = new BackwardScope(ctx, grad_output);
        List<Tensor> saved = ctx.get_saved_variables();
        Crew? crew = ((CrewBox)ctx.get_data("crew")).Crew;
        (Tensor x, Tensor weight, Tensor scale) = (saved[0], saved[1], saved[2]);
        Tensor gradient = grad_output.contiguous();
        Tensor ofX = empty_like(x);

        // Items of work add up their own share each; the shares are added in their order.
        Tensor shares = zeros([TrainingWork.Items(scale.shape[0]), x.shape[^1]], ScalarType.Float32);
        if (x.dtype == ScalarType.BFloat16)
        {
            Backward<PackedBrain>(x, weight, scale, gradient, ofX, shares, crew);
        }
        else
        {
            Backward<PackedSingle>(x, weight, scale, gradient, ofX, shares, crew);
        }

        return BackwardScope.Return(ofX, weight.requires_grad ? shares.sum(dim: 0).to(weight.dtype) : null, null, null);
    }

    private static unsafe void Forward<T>(Tensor x, Tensor weight, Tensor y, Tensor scale, float epsilon, Crew? crew)
        where T : struct, IPackedType
    {
        int length = (int)x.shape[^1];
        (nint from, nint w, nint to, nint s) = (TensorMemory.Address(x), TensorMemory.Address(weight), TensorMemory.Address(y), TensorMemory.Address(scale));
        TrainingWork.Run(crew, scale.shape[0], (start, count, _) => NormKernel<T>.Forward(
            (byte*)from + start * length * T.Size, (byte*)w, (byte*)to + start * length * T.Size, (float*)s + start, count, length, epsilon));
    }

    private static unsafe void Backward<T>(Tensor x, Tensor weight, Tensor scale, Tensor gradient, Tensor ofX, Tensor shares, Crew? crew)
        where T : struct, IPackedType
    {
        int length = (int)x.shape[^1];
        (nint from, nint w, nint s, nint g) = (TensorMemory.Address(x), TensorMemory.Address(weight), TensorMemory.Address(scale), TensorMemory.Address(gradient));
        (nint to, nint share) = (TensorMemory.Address(ofX), TensorMemory.Address(shares));
        TrainingWork.Run(crew, scale.shape[0], (start, count, item) =>
        {
            long offset = start * length * T.Size;
            NormKernel<T>.Backward(
                (byte*)from + offset, (byte*)w, (float*)s + start, (byte*)g + offset, (byte*)to + offset, (float*)share + (long)item * length, count, length);
        });
    }
}

/// <summary>A crew or none, as an argument that is not null.</summary>
internal sealed record CrewBox(Crew? Crew);
