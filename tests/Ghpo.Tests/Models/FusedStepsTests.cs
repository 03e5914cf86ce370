using Ghpo.Models;
using Ghpo.Models.Simd;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

/// <summary>Training's own kernels against the same formulas in torch's operations. A processor without AVX-512 has nothing to test.</summary>
public sealed class FusedStepsTests
{
    public FusedStepsTests()
    {
        Assert.SkipUnless(SimdDecoder.IsSupported, "This processor has no AVX-512.");
        TorchThreads.UseOnThisThread(1);
    }

    /// <summary>150 rows are three items of work, the last one not full.</summary>
    [Theory]
    [InlineData(ScalarType.Float32, 2e-6)]
    [InlineData(ScalarType.BFloat16, 1e-2)]
    public void A_norm_has_the_values_and_gradients_of_the_plain_form(ScalarType dtype, double tolerance)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = [Random(1, dtype, 3, 50, 48), Random(2, dtype, 48)];
        Same(inputs, Random(3, dtype, 3, 50, 48), tolerance, given => FusedNorm.Of(given[0], given[1], 1e-5, crew: null), given => RmsNorm.Apply(given[0], given[1], 1e-5));
    }

    [Theory]
    [InlineData(ScalarType.Float32, 2e-6)]
    [InlineData(ScalarType.BFloat16, 1e-2)]
    public void A_gate_has_the_values_and_gradients_of_the_plain_form(ScalarType dtype, double tolerance)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = [Random(1, dtype, 3, 50, 48).detach().mul(4).requires_grad_(), Random(2, dtype, 3, 50, 48)];
        Same(inputs, Random(3, dtype, 3, 50, 48), tolerance, given => FusedGate.Of(given[0], given[1], crew: null), given => nn.functional.silu(given[0]).mul(given[1]));
    }

    [Fact]
    public void A_wide_product_has_the_values_and_gradients_of_the_plain_form()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = [Random(1, ScalarType.BFloat16, 3, 50, 48), Random(2, ScalarType.BFloat16, 20, 48), Random(3, ScalarType.BFloat16, 20)];
        Same(inputs, Random(4, ScalarType.BFloat16, 3, 50, 20), 1e-2, given => WideProduct.Of(given[0], given[1], given[2]), given => nn.functional.linear(given[0], given[1], given[2]));
        Same(inputs[..2], Random(4, ScalarType.BFloat16, 3, 50, 20), 1e-2, given => WideProduct.Of(given[0], given[1], null), given => nn.functional.linear(given[0], given[1]));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Three_threads_give_the_bits_of_one(ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using var crew = new Crew(3);
        Tensor[] inputs = [Random(1, dtype, 7, 50, 48), Random(2, dtype, 48), Random(4, dtype, 7, 50, 48)];
        Tensor gradient = Random(3, dtype, 7, 50, 48);
        Same(inputs, gradient, 0, given => Both(given, crew), given => Both(given, crew: null));

        static Tensor Both(Tensor[] given, Crew? crew) => FusedGate.Of(FusedNorm.Of(given[0], given[1], 1e-5, crew), given[2], crew);
    }

    /// <summary>Largest difference of outputs and of gradients, in units of the largest number.</summary>
    private static void Same(Tensor[] inputs, Tensor gradient, double tolerance, Func<Tensor[], Tensor> one, Func<Tensor[], Tensor> other)
    {
        Tensor[] first = Results(one);
        Tensor[] second = Results(other);
        for (int i = 0; i < first.Length; i++)
        {
            Tensor expected = second[i].to(ScalarType.Float64);
            double difference = first[i].to(ScalarType.Float64).sub(expected).abs().max().item<double>() / expected.abs().max().item<double>();
            Assert.True(difference <= tolerance, $"{(i == 0 ? "the output" : $"gradient {i - 1}")} differs by {difference}");
        }

        Tensor[] Results(Func<Tensor[], Tensor> form)
        {
            Array.ForEach(inputs, input => input.grad = null);
            Tensor y = form(inputs);
            y.backward([gradient]);
            return [y.detach(), .. inputs.Select(input => input.grad!.clone())];
        }
    }

    private static Tensor Random(ulong seed, ScalarType dtype, params long[] shape)
    {
        using var generator = new Generator(seed, CPU);
        return empty(shape).normal_(0, 1, generator).to(dtype).requires_grad_();
    }
}
