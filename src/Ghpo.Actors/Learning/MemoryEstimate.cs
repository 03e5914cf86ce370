using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// What the learner's tensors take at the peak of a step, in bytes, on a CPU with AVX-512 (elsewhere torch keeps more of each layer). With P parameters, Pa of adapters, Pt trained (Pa with LoRA, else P), w bytes of the
/// model's type and s of a moment's:
/// <code>
///   standing    weights w·P + w·Pa;  gradients w·Pt;  moments 2·s·Pt;  master copies 4·Pt (only if w = 2);  reference w·P (only if β > 0)
///   kept        a token and layer     A = w·(4·d + 4·H·D + 3·ff) + 4·H + 8                      plus (H + Hkv)·(w·D + 4) with QK norm
///               LoRA                  plus w·r for each target; less w·d, w·d, w·ff where no target reads the first norm, the second, the gated product
///               checkpointing         w·d instead
///   passing     the larger of two moments, for N tokens of a micro-batch, padding included, each of which may be one whose log-probability is asked:
///               log-probabilities     N·2·w·d + max(8·c·V, N·w·d + c·(V·(4, or 6 if w = 2) + w·d) + V·d·(4 + w) if the head is trained), c tokens at a time, c·V ≤ 2^24
///               backward of a layer   N·w·(d + 2·ff) + w·d·ff;  products of bfloat16 in float32: N·6·(d + ff) + 6·d·ff;  plus N·A with checkpointing
/// </code>
/// d width, H heads of D, Hkv key heads, ff feed-forward, V vocabulary, r rank. The peak is the sum. A layer's kept tensors are its input, two norms' results, the sum between its halves (d); queries, keys and values as attention takes them, and its
/// result (H·D); gate, up and their product (ff); the normaliser of each query head, the scale of each norm.
/// </summary>
/// <param name="Parameters">P.</param>
/// <param name="Trained">Pt.</param>
public sealed record MemoryEstimate(
    long Parameters, long Trained, long Weights, long Gradients, long Moments, long Masters, long Reference, long Kept, long Passing)
{
    public long Peak => Weights + Gradients + Moments + Masters + Reference + Kept + Passing;

    /// <param name="tokens">N.</param>
    public static MemoryEstimate Of(ModelConfig config, ScalarType dtype, LearningSettings learning, long tokens)
    {
        long w = dtype == ScalarType.BFloat16 ? 2 : 4;
        IReadOnlyDictionary<string, long[]> shapes = ParameterShapes.Of(config);
        long parameters = shapes.Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size));
        long adapters = AdapterParameters(shapes, learning.Lora);
        bool lora = learning.Lora.Rank > 0;
        long trained = lora ? adapters : parameters;
        long layer = KeptOfLayer(config, w, learning.Lora);
        return new MemoryEstimate(
            parameters,
            trained,
            Weights: w * (parameters + adapters),
            Gradients: w * trained,
            Moments: 2 * trained * (learning.OptimizerState == ComputeType.Bfloat16 ? 2 : 4),
            Masters: w == 2 ? 4 * trained : 0,
            Reference: learning.KlBeta > 0 ? w * parameters : 0,
            Kept: tokens * config.Layers * (learning.GradientCheckpointing ? w * config.HiddenSize : layer),
            Passing: Math.Max(
                LogProbs(config, w, tokens, headTrained: !lora),
                BackwardOfLayer(config, w, WideProduct.Serves(CPU, dtype), tokens) + (learning.GradientCheckpointing ? tokens * layer : 0)));
    }

    /// <summary>r·(in + out) for each matrix that is a target.</summary>
    private static long AdapterParameters(IReadOnlyDictionary<string, long[]> shapes, LoraSettings lora) => shapes
        .Where(shape => lora.Targets.Any(target => shape.Key.EndsWith($"{target}.weight", StringComparison.Ordinal)))
        .Sum(shape => lora.Rank * (shape.Value[0] + shape.Value[1]));

    /// <summary>A.</summary>
    private static long KeptOfLayer(ModelConfig config, long w, LoraSettings lora)
    {
        long heads = (long)config.Heads * config.HeadSize;
        long norms = config.HasQueryKeyNorm ? (long)(config.Heads + config.KeyValueHeads) * (w * config.HeadSize + 4) : 0;
        long inputs = (Reads("q_proj", "k_proj", "v_proj") ? config.HiddenSize : 0) + (Reads("gate_proj", "up_proj") ? config.HiddenSize : 0) + (Reads("down_proj") ? config.IntermediateSize : 0);
        long adapted = lora.Rank > 0 ? lora.Rank * lora.Targets.Count : 0;
        return w * (2L * config.HiddenSize + 4 * heads + 2L * config.IntermediateSize + inputs + adapted) + norms + 4L * config.Heads + 8;

        // A product's input is kept for the gradient of what it is multiplied by.
        bool Reads(params string[] matrices) => lora.Rank == 0 || matrices.Any(matrix => lora.Targets.Any(target => target.EndsWith(matrix, StringComparison.Ordinal)));
    }

    private static long BackwardOfLayer(ModelConfig config, long w, bool wide, long tokens)
    {
        (long width, long inner) = (config.HiddenSize, config.IntermediateSize);
        return wide ? 6 * tokens * (width + inner) + 6 * width * inner : w * tokens * (width + 2 * inner) + w * width * inner;
    }

    private static long LogProbs(ModelConfig config, long w, long tokens, bool headTrained)
    {
        (long width, long vocabulary) = (config.HiddenSize, config.VocabularySize);
        long chunk = Math.Min(tokens, Math.Max(1, ChunkedLogProbs.ChunkElements / vocabulary));
        long backward = tokens * w * width + chunk * (vocabulary * (w == 2 ? 6 : 4) + w * width) + (headTrained ? vocabulary * width * (4 + w) : 0);
        return 2 * tokens * w * width + Math.Max(8 * chunk * vocabulary, backward);
    }
}
