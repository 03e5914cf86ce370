using Ghpo.Models.Simd;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>silu(gate) · up with its backward pass, each in one pass over memory (<see cref="GateKernel{T}"/>). Keeps its two inputs, where torch's two operations keep silu(gate) besides.</summary>
internal sealed class FusedGate : autograd.SingleTensorFunction<FusedGate>
{
    public override string Name => nameof(FusedGate);

    /// <param name="gate">One that <see cref="TrainingWork.Takes"/>.</param>
    /// <param name="up">Of the same shape and type.</param>
    internal static Tensor Of(Tensor gate, Tensor up, Crew? crew)
    {
        // What forward leaves for apply to take up goes with it.
        using var scope = NewDisposeScope();
        return apply(gate, up, new CrewBox(crew)).MoveToOuterDisposeScope();
    }

    public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        using var scope = NewDisposeScope();
        (Tensor gate, Tensor up) = (((Tensor)vars[0]).contiguous(), ((Tensor)vars[1]).contiguous());
        Tensor y = empty_like(gate);
        (nint a, nint b, nint to) = (TensorMemory.Address(gate), TensorMemory.Address(up), TensorMemory.Address(y));
        bool narrow = gate.dtype == ScalarType.BFloat16;
        long length = gate.shape[^1];
        TrainingWork.Run(((CrewBox)vars[2]).Crew, gate.NumberOfElements / length, (start, count, _) =>
        {
            if (narrow)
            {
                long offset = start * length * PackedBrain.Size;
                GateKernel<PackedBrain>.Forward((byte*)a + offset, (byte*)b + offset, (byte*)to + offset, count * length);
            }
            else
            {
                long offset = start * length * PackedSingle.Size;
                GateKernel<PackedSingle>.Forward((byte*)a + offset, (byte*)b + offset, (byte*)to + offset, count * length);
            }
        });
        ctx.save_for_backward([gate.MoveToOuterDisposeScope(), up.MoveToOuterDisposeScope()]);
        ctx.save_data("crew", vars[2]);
        return y.MoveToOuterDisposeScope();
    }

    public override unsafe List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = new BackwardScope(ctx, grad_output);
        List<Tensor> saved = ctx.get_saved_variables();
        Tensor gradient = grad_output.contiguous();
        (Tensor ofGate, Tensor ofUp) = (empty_like(gradient), empty_like(gradient));
        (nint a, nint b, nint g) = (TensorMemory.Address(saved[0]), TensorMemory.Address(saved[1]), TensorMemory.Address(gradient));
        (nint toGate, nint toUp) = (TensorMemory.Address(ofGate), TensorMemory.Address(ofUp));
        bool narrow = gradient.dtype == ScalarType.BFloat16;
        long length = gradient.shape[^1];
        TrainingWork.Run(((CrewBox)ctx.get_data("crew")).Crew, gradient.NumberOfElements / length, (start, count, _) =>
        {
            if (narrow)
            {
                long offset = start * length * PackedBrain.Size;
                GateKernel<PackedBrain>.Backward((byte*)a + offset, (byte*)b + offset, (byte*)g + offset, (byte*)toGate + offset, (byte*)toUp + offset, count * length);
            }
            else
            {
                long offset = start * length * PackedSingle.Size;
                GateKernel<PackedSingle>.Backward((byte*)a + offset, (byte*)b + offset, (byte*)g + offset, (byte*)toGate + offset, (byte*)toUp + offset, count * length);
            }
        });
        return BackwardScope.Return(ofGate, ofUp, null);
    }
}
