using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Tests.Learning;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Node;

/// <summary>The documented formula by hand.</summary>
public sealed class MemoryEstimateTests
{
    private static readonly ModelConfig _shape = new(
        ModelType.Qwen2,
        VocabularySize: 2048,
        HiddenSize: 256,
        IntermediateSize: 704,
        Layers: 6,
        Heads: 4,
        KeyValueHeads: 2,
        HeadSize: 64,
        MaxPositions: 1024,
        NormEpsilon: 1e-6,
        RopeTheta: 1e6,
        TiedEmbeddings: true,
        AttentionBias: false,
        StopTokens: [256]);

    [Fact]
    public void Standing_memory_is_counted_by_parameter()
    {
        long parameters = ParameterShapes.Of(_shape).Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size));
        MemoryEstimate full = MemoryEstimate.Of(_shape, ScalarType.BFloat16, Samples.Learning with { KlBeta = 0.1, OptimizerState = ComputeType.Bfloat16 }, tokens: 0);
        Assert.Equal(
            (2 * parameters, 2 * parameters, 4 * parameters, 4 * parameters, 2 * parameters), (full.Weights, full.Gradients, full.Moments, full.Masters, full.Reference));

        // q_proj is [256, 256] and down_proj [256, 704], in six layers.
        long adapters = 6 * 8 * (256 + 256 + 256 + 704);
        MemoryEstimate lora = MemoryEstimate.Of(_shape, ScalarType.Float32, Samples.Learning with { Lora = new LoraSettings(8, 16, ["q_proj", "down_proj"]) }, tokens: 0);
        Assert.Equal((adapters, 4 * (parameters + adapters), 4 * adapters, 8 * adapters, 0L), (lora.Trained, lora.Weights, lora.Gradients, lora.Moments, lora.Masters));
    }

    /// <summary>Of a float32 layer: 4·(4·256 + 4·256 + 3·704) + 4·4 + 8 bytes a token; 3·4·256 a token besides.</summary>
    [Fact]
    public void Activations_are_counted_by_token_and_layer()
    {
        const long Layer = 4 * (4 * 256 + 4 * 256 + 3 * 704) + 4 * 4 + 8;
        Assert.Equal(100 * (6 * Layer + 3 * 4 * 256), MemoryEstimate.Of(_shape, ScalarType.Float32, Samples.Learning, tokens: 100).Kept);
        Assert.Equal(
            100 * (6 * 4 * 256 + Layer + 3 * 4 * 256), MemoryEstimate.Of(_shape, ScalarType.Float32, Samples.Learning with { GradientCheckpointing = true }, tokens: 100).Kept);
    }
}
