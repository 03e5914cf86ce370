using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// Log-probabilities of targets without the logits of all tokens at once: with z = h·Wᵀ / τ, <c>log π = z[target] − logsumexp(z)</c>, for some tokens at a time.
/// Backward computes each chunk's logits again: <c>dz = g · (onehot(target) − softmax(z)) / τ</c>, <c>dh = dz·W</c>, <c>dW = Σ dzᵀ·h</c>, the sum in float32.
/// What it holds is [chunk, V] and, in backward, one float32 [V, d], instead of [N, V] several times.
/// </summary>
internal sealed class ChunkedLogProbs : autograd.MultiTensorFunction<ChunkedLogProbs>
{
    /// <summary>Elements of a chunk's [tokens, V]: 64 MiB in float32.</summary>
    internal const long ChunkElements = 1 << 24;

    public override string Name => nameof(ChunkedLogProbs);

    /// <param name="hidden">h, <c>[N, d]</c>.</param>
    /// <param name="head">W, <c>[V, d]</c>.</param>
    /// <param name="targets">int64 <c>[N]</c>.</param>
    /// <param name="temperature">τ.</param>
    /// <param name="chunk">Tokens at a time.</param>
    /// <remarks>The scope at hand has to outlive backward: libtorch's binding keeps a tensor in it that stands for the entropy's missing gradient.</remarks>
    /// <returns>float32: log π <c>[N]</c>, and the entropies' sum, a scalar without gradient.</returns>
    internal static (Tensor LogProbs, Tensor EntropySum) Of(Tensor hidden, Tensor head, Tensor targets, double temperature, long chunk)
    {
        List<Tensor> results = apply(hidden, head, targets, temperature, chunk);
        return (results[0], results[1].detach());
    }

    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        (var hidden, var head, var targets) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2]);
        (double temperature, long chunk) = ((double)vars[3], (long)vars[4]);
        using var scope = NewDisposeScope();
        var logProbs = new List<Tensor>();
        var normalisers = new List<Tensor>();
        Tensor entropy = zeros([], ScalarType.Float32, hidden.device);
        for (long start = 0; start < hidden.shape[0]; start += chunk)
        {
            using var inner = NewDisposeScope();
            long count = Math.Min(chunk, hidden.shape[0] - start);
            Tensor logits = Logits(hidden.narrow(0, start, count), head, temperature);
            Tensor normaliser = logits.logsumexp(-1, keepdim: true);
            logProbs.Add(logits.gather(1, targets.narrow(0, start, count).unsqueeze(1)).sub(normaliser).squeeze(1).MoveToOuterDisposeScope());
            normalisers.Add(normaliser.MoveToOuterDisposeScope());

            // −Σ π log π = logsumexp(z) − Σ π z
            entropy.add_(normaliser.sum()).sub_(logits.sub(normaliser).exp_().mul_(logits).sum());
        }

        // What is saved is taken up only after this has returned.
        ctx.save_for_backward([hidden, head, targets, cat(normalisers).MoveToOuterDisposeScope()]);
        ctx.save_data("temperature", temperature);
        ctx.save_data("chunk", chunk);
        return [cat(logProbs).MoveToOuterDisposeScope(), entropy.MoveToOuterDisposeScope()];
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        using var scope = new BackwardScope(ctx, [.. grad_outputs]);
        List<Tensor> saved = ctx.get_saved_variables();
        (Tensor hidden, Tensor head, Tensor targets, Tensor normalisers) = (saved[0], saved[1], saved[2], saved[3]);
        (double temperature, long chunk) = ((double)ctx.get_data("temperature"), (long)ctx.get_data("chunk"));
        Tensor ofHidden = empty_like(hidden);
        Tensor? ofHead = head.requires_grad ? zeros_like(head, ScalarType.Float32) : null;
        for (long start = 0; start < hidden.shape[0]; start += chunk)
        {
            using var inner = NewDisposeScope();
            long count = Math.Min(chunk, hidden.shape[0] - start);
            Tensor part = hidden.narrow(0, start, count);
            Tensor gradient = grad_outputs[0].narrow(0, start, count).unsqueeze(1).div(temperature);
            Tensor ofLogits = Logits(part, head, temperature).sub_(normalisers.narrow(0, start, count)).exp_().mul_(gradient.neg());
            ofLogits.scatter_add_(1, targets.narrow(0, start, count).unsqueeze(1), gradient);
            Tensor narrow = ofLogits.to(head.dtype);
            ofHidden.narrow(0, start, count).copy_(narrow.mm(head));
            ofHead?.add_(narrow.t().mm(part));
        }

        return BackwardScope.Return(ofHidden, ofHead?.to(head.dtype), null, null, null);
    }

    private static Tensor Logits(Tensor hidden, Tensor head, double temperature)
    {
        Tensor logits = nn.functional.linear(hidden, head);
        if (logits.dtype != ScalarType.Float32)
        {
            using Tensor narrow = logits;
            logits = narrow.to(ScalarType.Float32);
        }

        return temperature == 1 ? logits : logits.div_(temperature);
    }
}
