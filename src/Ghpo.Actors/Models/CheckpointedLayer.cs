using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// A decoder layer that keeps nothing but its input for backward, and computes itself again there: memory of one layer's activations instead of all
/// layers', for one more forward pass. The second pass gives the same bits as the first, so the gradients are those of the plain layer.
/// Source: Chen et al. 2016, arXiv 1604.06174.
/// </summary>
internal sealed class CheckpointedLayer : autograd.SingleTensorFunction<CheckpointedLayer>
{
    public override string Name => nameof(CheckpointedLayer);

    internal static Tensor Of(DecoderLayer layer, Tensor x, RotaryTable rotary, Tensor cos, Tensor sin) => apply(x, layer, rotary, cos, sin);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var x = (Tensor)vars[0];
        ctx.save_for_backward([x, (Tensor)vars[3], (Tensor)vars[4]]);
        ctx.save_data("layer", vars[1]);
        ctx.save_data("rotary", vars[2]);
        using var scope = NewDisposeScope();
        return ((DecoderLayer)vars[1]).Forward(x, (RotaryTable)vars[2], (Tensor)vars[3], (Tensor)vars[4]).MoveToOuterDisposeScope();
    }

    /// <summary>The parameters get their gradients from the inner backward pass.</summary>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        List<Tensor> saved = ctx.get_saved_variables();
        using var scope = NewDisposeScope();
        using IDisposable gradients = enable_grad();
        Tensor x = saved[0].detach().requires_grad_();
        Tensor y = ((DecoderLayer)ctx.get_data("layer")).Forward(x, (RotaryTable)ctx.get_data("rotary"), saved[1], saved[2]);
        y.backward([grad_output]);
        return [x.grad!.MoveToOuterDisposeScope(), null!, null!, null!, null!];
    }
}
