using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// What the learner's tensors take at the peak of a step, in bytes, on a CPU with AVX-512 (elsewhere torch keeps more of each layer). With P parameters, Pa of adapters, Pt trained (Pa with LoRA, else P), w bytes of the
/// model's type and s of a moment's:
/// <code>
///   standing    weights w·P + w·Pa;  gradients w·Pt;  moments 2·s·Pt;  master copies 4·Pt (only if w = 2);  reference w·P (only if β > 0)
///   kept        a token and layer     A = w·(4·d + 4·H·D + 3·ff) + 4·H + 8                      plus w·(H + Hkv)·D with QK norm, w·r for each LoRA target
///               checkpointing         w·d instead, and A once for the layer that is computed again
///               a token               w·3·d                                                    final norm and predictors
///   passing     backward of a layer   a token: w·(3·ff + 2·d), and for products of bfloat16 in float32 8·(d + ff)
///               log-probabilities     c·V·(8 + 2 w) for c tokens at a time, c·V ≤ 2^24, and V·d·(4 + 2 w) if the head is trained
/// </code>
/// d width, H heads of D, Hkv key heads, ff feed-forward, V vocabulary, r rank. The peak is standing + kept + the larger of the two that pass; N is the tokens of a micro-batch, padding included.
/// </summary>
/// <param name="Parameters">P.</param>
/// <param name="Trained">Pt.</param>
public sealed record MemoryEstimate(
    long Parameters, long Trained, long Weights, long Gradients, long Moments, long Masters, long Reference, long Kept, long Passing)
{
    public long Peak => Weights + Gradients + Moments + Masters + Reference + Kept + Passing;

    /// <param name="tokens">N; each of its tokens may be one whose log-probability is asked.</param>
    public static MemoryEstimate Of(ModelConfig config, ScalarType dtype, LearningSettings learning, long tokens)
    {
        long w = dtype == ScalarType.BFloat16 ? 2 : 4;
        IReadOnlyDictionary<string, long[]> shapes = ParameterShapes.Of(config);
        long parameters = shapes.Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size));
        long adapters = AdapterParameters(shapes, learning.Lora);
        bool lora = learning.Lora.Rank > 0;
        long trained = lora ? adapters : parameters;
        return new MemoryEstimate(
            parameters,
            trained,
            Weights: w * (parameters + adapters),
            Gradients: w * trained,
            Moments: 2 * trained * (learning.OptimizerState == ComputeType.Bfloat16 ? 2 : 4),
            Masters: w == 2 ? 4 * trained : 0,
            Reference: learning.KlBeta > 0 ? w * parameters : 0,
            Kept: tokens * KeptAToken(config, w, learning),
            Passing: Math.Max(tokens * PassingAToken(config, w, dtype), LogProbs(config, w, tokens, headTrained: !lora)));
    }

    /// <summary>r·(in + out) for each matrix that is a target.</summary>
    private static long AdapterParameters(IReadOnlyDictionary<string, long[]> shapes, LoraSettings lora) => shapes
        .Where(shape => lora.Targets.Any(target => shape.Key.EndsWith($"{target}.weight", StringComparison.Ordinal)))
        .Sum(shape => lora.Rank * (shape.Value[0] + shape.Value[1]));

    private static long KeptAToken(ModelConfig config, long w, LearningSettings learning)
    {
        long heads = (long)config.Heads * config.HeadSize;
        long norms = config.HasQueryKeyNorm ? (long)(config.Heads + config.KeyValueHeads) * (w * config.HeadSize + 4) : 0;
        long adapted = learning.Lora.Rank > 0 ? w * learning.Lora.Rank * learning.Lora.Targets.Count : 0;
        long layer = w * (4L * config.HiddenSize + 4 * heads + 3L * config.IntermediateSize) + norms + adapted + 4L * config.Heads + 8;
        return 3 * w * config.HiddenSize + (learning.GradientCheckpointing ? config.Layers * w * config.HiddenSize + layer : config.Layers * layer);
    }

    private static long PassingAToken(ModelConfig config, long w, ScalarType dtype) =>
        w * (3L * config.IntermediateSize + 2L * config.HiddenSize) + (WideProduct.Serves(CPU, dtype) ? 8L * (config.HiddenSize + config.IntermediateSize) : 0);

    private static long LogProbs(ModelConfig config, long w, long tokens, bool headTrained)
    {
        long chunk = Math.Min(tokens, Math.Max(1, ChunkedLogProbs.ChunkElements / config.VocabularySize));
        return chunk * config.VocabularySize * (8 + 2 * w) + (headTrained ? (long)config.VocabularySize * config.HiddenSize * (4 + 2 * w) : 0);
    }
}
