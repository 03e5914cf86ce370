using Ghpo.Models.Simd;
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

    internal static Tensor Of(DecoderLayer layer, Tensor x, Turning turning, Crew? crew) => apply(x, turning.Cos, turning.SignedSin, layer, turning.Table, new CrewBox(crew));

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var x = (Tensor)vars[0];
        ctx.save_for_backward([x, (Tensor)vars[1], (Tensor)vars[2]]);
        ctx.save_data("layer", vars[3]);
        ctx.save_data("table", vars[4]);
        ctx.save_data("crew", vars[5]);
        using var scope = NewDisposeScope();
        var turning = new Turning((RotaryTable)vars[4], (Tensor)vars[1], (Tensor)vars[2]);
        return ((DecoderLayer)vars[3]).Forward(x, turning, ((CrewBox)vars[5]).Crew).MoveToOuterDisposeScope();
    }

    /// <summary>The parameters get their gradients from the inner backward pass.</summary>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = new BackwardScope(ctx, grad_output);
        List<Tensor> saved = ctx.get_saved_variables();
        using IDisposable gradients = enable_grad();
        Tensor x = saved[0].detach().requires_grad_();
        var turning = new Turning((RotaryTable)ctx.get_data("table"), saved[1], saved[2]);
        using (Tensor y = Again(ctx, x, turning))
        {
            y.backward([grad_output]);
        }

        return BackwardScope.Return(x.grad, null, null, null, null, null);
    }

    /// <summary>The graph alone holds what it needs, so that backward gives it back on its way.</summary>
    private static Tensor Again(autograd.AutogradContext ctx, Tensor x, Turning turning)
    {
        using var scope = NewDisposeScope();
        return ((DecoderLayer)ctx.get_data("layer")).Forward(x, turning, ((CrewBox)ctx.get_data("crew")).Crew).MoveToOuterDisposeScope();
    }
}
