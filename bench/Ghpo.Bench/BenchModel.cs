using Ghpo.Models;

namespace Ghpo.Bench;

/// <summary>The shape that speed is compared on: a Qwen2 with 23 million parameters.</summary>
internal static class BenchModel
{
    internal static ModelConfig Config { get; } = new(
        ModelType.Qwen2,
        VocabularySize: 512,
        HiddenSize: 512,
        IntermediateSize: 1408,
        Layers: 8,
        Heads: 8,
        KeyValueHeads: 2,
        HeadSize: 64,
        MaxPositions: 4096,
        NormEpsilon: 1e-6,
        RopeTheta: 1e6,
        TiedEmbeddings: true,
        AttentionBias: false,
        StopTokens: []);
}
