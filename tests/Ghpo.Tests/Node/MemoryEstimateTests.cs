using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Models.Simd;
using Ghpo.Tests.Learning;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Node;

/// <summary>The documented formula by hand.</summary>
public sealed class MemoryEstimateTests
{
    /// <summary>What a float32 layer of the shape keeps of a token.</summary>
    private const long Layer = 4 * (4 * 256 + 4 * 256 + 3 * 704) + 4 * 4 + 8;

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

    [Fact]
    public void Activations_are_counted_by_token_and_layer()
    {
        Assert.Equal(100 * 6 * Layer, MemoryEstimate.Of(_shape, ScalarType.Float32, Samples.Learning, tokens: 100).Kept);
        Assert.Equal(100 * 6 * 4 * 256, MemoryEstimate.Of(_shape, ScalarType.Float32, Samples.Learning with { GradientCheckpointing = true }, tokens: 100).Kept);

        // An adapter of q_proj keeps what reads the first norm and its own inner product; nothing reads the second norm and the gated product for a gradient.
        LearningSettings lora = Samples.Learning with { Lora = new LoraSettings(8, 16, ["q_proj"]) };
        Assert.Equal(100 * 6 * (Layer + 4 * (8 - 256 - 704)), MemoryEstimate.Of(_shape, ScalarType.Float32, lora, tokens: 100).Kept);
    }

    /// <summary>4,096 tokens of 2,048 words are 2^23 logits, in one part; a layer's backward counts for more only where it is computed again.</summary>
    [Fact]
    public void What_passes_is_the_larger_of_log_probabilities_and_a_layers_backward()
    {
        const long Tokens = 4096;
        Assert.Equal(2 * Tokens * 4 * 256 + 8 * Tokens * 2048, MemoryEstimate.Of(_shape, ScalarType.Float32, Samples.Learning, Tokens).Passing);
        Assert.Equal(
            Tokens * (4 * (256 + 2 * 704) + Layer) + 4 * 256 * 704, MemoryEstimate.Of(_shape, ScalarType.Float32, Samples.Learning with { GradientCheckpointing = true }, Tokens).Passing);
    }

    /// <summary>By the system's own count of pages, in a process of its own.</summary>
    [Theory]
    [InlineData("learning.lora.rank=0")]
    [InlineData("learning.gradient-checkpointing=true")]
    [InlineData("model.dtype=bfloat16 learning.lora.rank=8")]
    public async Task The_estimate_is_within_15_percent_of_what_the_tensors_of_a_real_step_take(string settings)
    {
        Assert.SkipUnless(SimdDecoder.IsSupported && File.Exists("/proc/self/clear_refs"), "No AVX-512, or no Linux.");
        string folder = Directory.CreateTempSubdirectory("ghpo-memory-").FullName;
        try
        {
            TinyTokenizer.Write(folder, ["<|end|>"], "", "<|end|>");
            using (var decoder = new Decoder(_shape with { Layers = 2, HiddenSize = 384, Heads = 6 }, CPU, ScalarType.Float32))
            {
                decoder.Initialise(1);
                ModelFolder.Save(folder, decoder.Config, decoder, folder);
            }

            string[] all = ["learning.micro-batch-tokens=4096", "learning.threads=2", "prompt.max-tokens=64", "rollout.max-new-tokens=64", .. settings.Split(' ')];
            string output = await Ghpo("inspect-model", [folder, "--measure", .. all.SelectMany(setting => new[] { "--set", setting })]);
            Match ratio = Regex.Match(output, @": (\d+\.\d+) times what was measured");
            Assert.True(ratio.Success, output);
            Assert.InRange(double.Parse(ratio.Groups[1].Value, CultureInfo.InvariantCulture), 0.85, 1.15);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> Ghpo(string command, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ghpo.dll"), command, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output.ReplaceLineEndings(" ") + await errors;
    }
}
