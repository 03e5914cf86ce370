using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Models.Simd;
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

    /// <summary>37 elements: two registers and a rest. Moments of a gradient that is nearly the same each step move by less than bfloat16's rounding.</summary>
    [Fact]
    public void Moments_in_bfloat16_follow_those_in_float32_on_average()
    {
        Assert.SkipUnless(SimdDecoder.IsSupported, "This processor has no AVX-512.");
        using var scope = NewDisposeScope();
        using var single = new Trained(4096 + 37, ComputeType.Float32);
        using var half = new Trained(4096 + 37, ComputeType.Bfloat16);
        for (int step = 0; step < 400; step++)
        {
            single.Step(step);
            half.Step(step);
        }

        foreach (string moment in new[] { "exp_avg.matrix", "exp_avg_sq.matrix" })
        {
            (Tensor expected, Tensor actual) = (single.State(moment), half.State(moment));
            Assert.Equal(ScalarType.BFloat16, half.Stored(moment).dtype);
            Assert.Equal(expected.mean().item<float>(), actual.mean().item<float>(), 2e-3f * expected.abs().mean().item<float>());
        }

        Tensor path = single.Parameter - single.Start;
        Assert.True((half.Parameter - single.Parameter).norm().item<float>() < 0.02 * path.norm().item<float>());
    }

    [Theory]
    [InlineData(ComputeType.Float32)]
    [InlineData(ComputeType.Bfloat16)]
    public void A_step_is_the_same_bits_on_any_number_of_threads_and_after_a_resume(ComputeType moments)
    {
        Assert.SkipUnless(SimdDecoder.IsSupported, "This processor has no AVX-512.");
        using var scope = NewDisposeScope();
        using var crew = new Crew(3);
        using var alone = new Trained(100_003, moments);
        using var together = new Trained(100_003, moments) { Optimizer = { Crew = crew } };
        using var resumed = new Trained(100_003, moments);
        for (int step = 0; step < 5; step++)
        {
            alone.Step(step);
            together.Step(step);
        }

        for (int step = 0; step < 3; step++)
        {
            resumed.Step(step);
        }

        using var again = new Trained(100_003, moments);
        again.CopyFrom(resumed, steps: 3);
        again.Step(3);
        again.Step(4);
        foreach (Trained other in new[] { together, again })
        {
            Assert.True(alone.Parameter.equal(other.Parameter).all().item<bool>());
            foreach (string moment in new[] { "exp_avg.matrix", "exp_avg_sq.matrix" })
            {
                Assert.True(alone.Stored(moment).equal(other.Stored(moment)).all().item<bool>(), moment);
            }
        }
    }

    /// <summary>A parameter and its optimizer; the gradient of a step is a function of its number.</summary>
    private sealed class Trained : IDisposable
    {
        internal Trained(int count, ComputeType moments)
        {
            Start = Numbers(count, 0);
            Parameter = new Parameter(Start.clone());
            Optimizer = new AdamWOptimizer([("matrix", Parameter)], 0.9, 0.999, 1e-8, decay: 0.1, moments);
        }

        internal Tensor Start { get; }

        internal Parameter Parameter { get; }

        internal AdamWOptimizer Optimizer { get; }

        internal void Step(int step)
        {
            Parameter.grad = Numbers((int)Parameter.NumberOfElements, step + 1).mul(0.1).add(Start.cos());
            Optimizer.Step(0.001);
        }

        internal Tensor Stored(string name) => Optimizer.State().Single(entry => entry.Key == name).Value;

        internal Tensor State(string name) => Stored(name).to(ScalarType.Float32);

        internal void CopyFrom(Trained other, int steps)
        {
            using IDisposable noGradient = no_grad();
            Parameter.copy_(other.Parameter);
            foreach ((string name, Tensor tensor) in Optimizer.State())
            {
                tensor.copy_(other.Stored(name));
            }

            Optimizer.Resume(steps);
        }

        public void Dispose() => Optimizer.Dispose();

        private static Tensor Numbers(int count, int step) => (arange(count, ScalarType.Float32).view(1, count) + 7 * step).sin();
    }
}
