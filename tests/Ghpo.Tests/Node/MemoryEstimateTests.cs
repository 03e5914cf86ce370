using System.Diagnostics;
using System.Globalization;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Models.Simd;
using Ghpo.Tests.Learning;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Node;

/// <summary>The documented formula by hand, and against the peak memory of real steps in a process of their own.</summary>
public sealed class MemoryEstimateTests : IDisposable
{
    /// <summary>9.4 million parameters; a micro-batch of 4,096 tokens takes most of the memory.</summary>
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

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

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

    /// <summary>The tolerance is 20 % here, 15 % in the benchmark: at some hundred megabytes the libraries' own buffers weigh.</summary>
    [Theory]
    [InlineData("float32")]
    [InlineData("bfloat16")]
    [InlineData("float32", "learning.lora.rank=8")]
    [InlineData("float32", "learning.gradient-checkpointing=true")]
    public async Task Real_steps_take_what_is_estimated(string dtype, params string[] settings)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && SimdDecoder.IsSupported, "The formula is that of a CPU with AVX-512, and the peak is what Linux tells.");
        TinyTokenizer.Write(_folder.Path, ["<|end|>"], "", "<|end|>");
        using (var decoder = new Decoder(_shape, CPU, ScalarType.Float32))
        {
            decoder.Initialise(1);
            ModelFolder.Save(_folder.Path, _shape, decoder, _folder.Path);
        }

        string[] all = [$"model.dtype={dtype}", "learning.micro-batch-tokens=4096", "learning.threads=1", "prompt.max-tokens=256", "rollout.max-new-tokens=256", .. settings];
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "ghpo.dll"), "inspect-model", _folder.Path, "--measure", .. all.SelectMany(setting => new[] { "--set", setting })])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await error);

        string measured = output[output.IndexOf("measured:", StringComparison.Ordinal)..].Trim().ReplaceLineEndings(" ");
        double ratio = double.Parse(measured[(measured.IndexOf("is ", StringComparison.Ordinal) + 3)..].Split(": ")[1].Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.True(ratio is > 0.8 and < 1.2, measured);
    }
}
