using Ghpo.Learning;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Learning;

public sealed class AdamWOptimizerTests
{
    [Fact]
    public void Two_steps_follow_the_formula_by_hand()
    {
        // A gain (no decay) θ = 1 with β1 = 0.5, β2 = 0.75, ε = 0, η = 0.1.
        // t = 1, g = 2: m = 1, v = 1; m̂ = 1 / 0.5 = 2, v̂ = 1 / 0.25 = 4; θ = 1 − 0.1 · 2/2 = 0.9.
        // t = 2, g = 0: m = 0.5, v = 0.75; m̂ = 0.5 / 0.75 = 2/3, v̂ = 0.75 / 0.4375 = 12/7; θ = 0.9 − 0.1 · (2/3) / √(12/7) = 0.849083…
        using var scope = NewDisposeScope();
        var gain = new Parameter(ones(1));
        using var optimizer = new AdamWOptimizer([("gain", gain)], beta1: 0.5, beta2: 0.75, epsilon: 0, decay: 0.3);

        gain.grad = tensor([2f]);
        optimizer.Step(0.1);
        Assert.Equal(0.9f, gain.item<float>(), 1e-6f);

        gain.grad = null;
        optimizer.Step(0.1);
        Assert.Equal(0.8490825f, gain.item<float>(), 1e-6f);
    }

    [Fact]
    public void It_agrees_with_torch()
    {
        using var scope = NewDisposeScope();
        var mine = new Parameter(arange(12, ScalarType.Float32).view(3, 4) / 7);
        var theirs = new Parameter(mine.detach().clone());
        using var optimizer = new AdamWOptimizer([("matrix", mine)], 0.9, 0.999, 1e-8, decay: 0.1);
        using var torchs = optim.AdamW([theirs], lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.1);

        for (int step = 0; step < 20; step++)
        {
            Tensor gradient = (arange(12, ScalarType.Float32).view(3, 4) + step).sin();
            mine.grad = gradient;
            theirs.grad = gradient.clone();
            optimizer.Step(0.01);
            torchs.step();
        }

        Assert.True((mine - theirs).abs().max().item<float>() < 1e-6f);
    }

    [Fact]
    public void A_bfloat16_parameter_moves_by_steps_smaller_than_its_rounding()
    {
        using var scope = NewDisposeScope();
        var parameter = new Parameter(ones(2, 2).to(ScalarType.BFloat16));
        using var optimizer = new AdamWOptimizer([("matrix", parameter)], 0.9, 0.999, 1e-8, decay: 0);

        // bfloat16 below 1 has steps of 1/256; each of these steps is a tenth of that.
        for (int step = 0; step < 40; step++)
        {
            parameter.grad = ones(2, 2).to(ScalarType.BFloat16);
            optimizer.Step(1.0 / 2560);
        }

        Assert.Equal(1 - (4.0 / 256), parameter[0, 0].to(ScalarType.Float32).item<float>(), 1.0 / 512);
    }
}
