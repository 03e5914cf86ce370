using System.Runtime.InteropServices;
using System.Text.Json;
using Ghpo.Models;
using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

/// <summary>Against llama.cpp's log-probabilities for the same random weights, as tests/oracles/forward.mjs recorded them.</summary>
public sealed class ForwardParityTests
{
    /// <summary>Nats; the recorded figures are rounded to 1e-7.</summary>
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Cases => new(Recorded().Select(entry => entry.GetProperty("name").GetString()!));

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_full_forward_pass_gives_llama_cpps_log_probabilities(string name)
    {
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        JsonElement recorded = Case(name);
        using Decoder decoder = Create(recorded);
        int[] tokens = Integers(recorded, "tokens");
        Tensor logProbs = decoder.Logits(decoder.Hidden(tensor(tokens.Select(token => (long)token).ToArray()).unsqueeze(0))).log_softmax(-1).squeeze(0);

        double worst = 0;
        float[] next = Numbers(recorded, "next");
        for (int i = 0; i < next.Length; i++)
        {
            worst = Math.Max(worst, Math.Abs(logProbs[i, tokens[i + 1]].item<float>() - next[i]));
        }

        worst = Math.Max(worst, (logProbs[-1] - tensor(Numbers(recorded, "last"))).abs().max().item<float>());
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: largest difference {worst:E2}");
        Assert.True(worst <= Tolerance, $"{name}: {worst:E2}");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Cached_decoding_gives_llama_cpps_log_probabilities(string name)
    {
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        JsonElement recorded = Case(name);
        using Decoder decoder = Create(recorded);
        int[] tokens = Integers(recorded, "tokens");
        const int Prefilled = 40;
        using var cached = new CachedDecoder(decoder.Config, CPU, ScalarType.Float32, rows: 4, maxLength: tokens.Length);
        cached.Load(decoder.state_dict(), name);
        cached.Prefill(tensor(tokens.Take(Prefilled).Select(token => (long)token).ToArray()), row: 0, count: 4);

        float[] next = Numbers(recorded, "next");
        double worst = 0;
        for (int position = Prefilled; position < next.Length; position++)
        {
            Tensor logits = cached.Decode(full([4], tokens[position], ScalarType.Int64), full([4], position, ScalarType.Int64), position);
            worst = Math.Max(worst, (logits.log_softmax(-1).select(1, tokens[position + 1]) - next[position]).abs().max().item<float>());
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: largest difference {worst:E2}");
        Assert.True(worst <= Tolerance, $"{name}: {worst:E2}");
    }

    [Fact]
    public void Without_its_scaling_the_scaled_model_is_another()
    {
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        JsonElement recorded = Case("llama3-scaled");
        using Decoder decoder = Create(recorded, scaled: false);
        Tensor ids = tensor(Integers(recorded, "tokens").Select(token => (long)token).ToArray()).unsqueeze(0);

        Assert.True((decoder.Logits(decoder.Hidden(ids)).log_softmax(-1)[0, -1] - tensor(Numbers(recorded, "last"))).abs().max().item<float>() > 0.01);
    }

    private static Decoder Create(JsonElement recorded, bool scaled = true)
    {
        int Number(string key) => recorded.GetProperty(key).GetInt32();
        var config = new ModelConfig(
            Enum.Parse<ModelType>(recorded.GetProperty("type").GetString()!, ignoreCase: true),
            Number("vocabulary"),
            Number("hidden"),
            Number("inner"),
            Number("layers"),
            Number("heads"),
            Number("keyValueHeads"),
            Number("headSize"),
            Number("positions"),
            recorded.GetProperty("epsilon").GetDouble(),
            recorded.GetProperty("theta").GetDouble(),
            recorded.GetProperty("tied").GetBoolean(),
            AttentionBias: false,
            StopTokens: [0])
        {
            RopeScaling = scaled && recorded.TryGetProperty("scaling", out JsonElement scaling)
                ? new RopeScaling(scaling.GetProperty("factor").GetDouble(), scaling.GetProperty("low").GetDouble(), scaling.GetProperty("high").GetDouble(), scaling.GetProperty("original").GetInt32())
                : null,
        };
        var decoder = new Decoder(config, CPU, ScalarType.Float32);
        foreach ((string name, Parameter parameter) in decoder.named_parameters())
        {
            Fill(name, parameter);
        }

        return decoder;
    }

    /// <summary>Element i is a hash of the tensor's name and i, as in the script.</summary>
    private static void Fill(string name, Parameter parameter)
    {
        uint seed = name.Aggregate(0x811c9dc5u, (hash, character) => (hash ^ character) * 0x01000193u);
        bool vector = parameter.shape.Length == 1;
        double centre = vector && !name.EndsWith("bias", StringComparison.Ordinal) ? 1 : 0;
        double scale = vector ? 0.25 : name.Contains("embed_tokens", StringComparison.Ordinal) ? 0.3 : 2 / Math.Sqrt(parameter.shape[1]);
        Span<float> values = MemoryMarshal.Cast<byte, float>(parameter.bytes);
        for (int i = 0; i < values.Length; i++)
        {
            double u = Mix(seed + (uint)i * 0x9e3779b9u) / 4294967296.0;
            values[i] = (float)(centre + (2 * u - 1) * scale);
        }
    }

    private static uint Mix(uint hash)
    {
        hash = (hash ^ (hash >> 16)) * 0x7feb352du;
        hash = (hash ^ (hash >> 15)) * 0x846ca68bu;
        return hash ^ (hash >> 16);
    }

    private static JsonElement Case(string name) => Recorded().Single(entry => entry.GetProperty("name").GetString() == name);

    private static JsonElement[] Recorded()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Fixture.Path("forward.json")));
        return [.. document.RootElement.Clone().EnumerateArray()];
    }

    private static int[] Integers(JsonElement recorded, string key) => [.. recorded.GetProperty(key).EnumerateArray().Select(value => value.GetInt32())];

    private static float[] Numbers(JsonElement recorded, string key) => [.. recorded.GetProperty(key).EnumerateArray().Select(value => value.GetSingle())];
}
