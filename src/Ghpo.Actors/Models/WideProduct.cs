using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// x·Wᵀ + b of bfloat16 tensors with the product taken in float32, forward and backward, for processors whose bfloat16 products are no faster: on a Xeon with
/// AVX512-BF16 and without AMX they run at two thirds of the rate of those in float32. Only bfloat16 is kept for backward.
/// </summary>
internal sealed class WideProduct : autograd.SingleTensorFunction<WideProduct>
{
    public override string Name => nameof(WideProduct);

    /// <summary>
    /// Whether products of tensors there and of that type go this way. It follows from the processor alone, so a run gives the same bits each time. Products stay in bfloat16 with AMX, and on
    /// AMD's processors with AVX512-BF16 (measured on Zen 4: more than twice float32's rate).
    /// </summary>
    internal static bool Serves(Device device, ScalarType dtype) => dtype == ScalarType.BFloat16 && device.type == DeviceType.CPU && !_multipliesFast;

    private static readonly bool _multipliesFast = MultipliesFast();

    internal static Tensor Of(Tensor x, Tensor weight, Tensor? bias)
    {
        // What forward leaves for apply to take up goes with it.
        using var scope = NewDisposeScope();
        return (bias is null ? apply(x, weight) : apply(x, weight, bias)).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        using var scope = NewDisposeScope();
        (Tensor x, Tensor weight) = ((Tensor)vars[0], (Tensor)vars[1]);
        Tensor? bias = vars.Length > 2 ? (Tensor)vars[2] : null;

        // The gradient of a frozen weight is not asked for, nor what it would be made of.
        ctx.save_for_backward(weight.requires_grad ? [weight, x] : [weight]);
        ctx.save_data("input", x.requires_grad);
        ctx.save_data("bias", bias is not null && bias.requires_grad);
        ctx.save_data("inputs", vars.Length);
        return nn.functional.linear(Wide(x), Wide(weight), bias is null ? null : Wide(bias)).to(x.dtype).MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = new BackwardScope(ctx, grad_output);
        List<Tensor> saved = ctx.get_saved_variables();
        Tensor weight = saved[0];
        Tensor gradient = Wide(grad_output);
        Tensor rows = gradient.reshape(-1, gradient.shape[^1]);
        Tensor? ofInput = (bool)ctx.get_data("input") ? OfInput() : null;
        Tensor? ofWeight = saved.Count > 1 ? OfWeight(saved[1]) : null;
        return (int)ctx.get_data("inputs") == 2
            ? BackwardScope.Return(ofInput, ofWeight)
            : BackwardScope.Return(ofInput, ofWeight, (bool)ctx.get_data("bias") ? rows.sum(dim: 0).to(weight.dtype) : null);

        // Wide copies go before the next ones are made.
        Tensor OfInput()
        {
            using var inner = NewDisposeScope();
            return gradient.matmul(Wide(weight)).to(weight.dtype).MoveToOuterDisposeScope();
        }

        Tensor OfWeight(Tensor x)
        {
            using var inner = NewDisposeScope();
            return rows.t().mm(Wide(x).reshape(-1, x.shape[^1])).to(x.dtype).MoveToOuterDisposeScope();
        }
    }

    private static Tensor Wide(Tensor tensor) => tensor.to(ScalarType.Float32);

    private static bool MultipliesFast()
    {
        if (!X86Base.IsSupported)
        {
            // Nothing was measured there: torch's own way.
            return true;
        }

        (int most, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        if (most < 7)
        {
            return false;
        }

        // Leaf 7: EDX bit 22 is AMX-BF16; EAX bit 5 of its subleaf 1 is AVX512-BF16. "Auth", "enti", "cAMD" is the vendor.
        bool isAmd = (ebx, edx, ecx) == (0x68747541, 0x69746E65, 0x444D4163);
        return (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0 || (isAmd && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0);
    }
}
