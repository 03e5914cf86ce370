using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

/// <summary>Random models small enough for a test.</summary>
internal static class TinyModel
{
    internal static ModelConfig Config(ModelType type = ModelType.Qwen2) => new(
        type,
        VocabularySize: 300,
        HiddenSize: 32,
        IntermediateSize: 88,
        Layers: 2,
        Heads: 4,
        KeyValueHeads: 2,
        HeadSize: 8,
        MaxPositions: 1024,
        NormEpsilon: 1e-6,
        RopeTheta: 10000,
        TiedEmbeddings: true,
        AttentionBias: false,
        StopTokens: [256]);

    /// <summary>Weights ten times wider than a fresh model's, biases included: logits that tell tokens apart.</summary>
    internal static Decoder Create(ModelConfig config, ulong seed = 1)
    {
        var decoder = new Decoder(config, CPU, ScalarType.Float32);
        decoder.Initialise(seed);
        using IDisposable _ = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed + 1, CPU);
        foreach (var (_, parameter) in decoder.named_parameters())
        {
            parameter.add_(empty(parameter.shape).normal_(0, 0.2, generator));
        }

        return decoder;
    }

    internal static void WriteFolder(string folder, ModelConfig config, Decoder decoder)
    {
        TinyTokenizer.Write(folder, ["<|end|>", "<|user|>"], "{{ messages }}", "<|end|>");
        ModelFolder.Save(folder, config, decoder, folder);
    }
}
