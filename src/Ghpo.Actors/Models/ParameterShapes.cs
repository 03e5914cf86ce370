using Ghpo.Configuration;

namespace Ghpo.Models;

/// <summary>Names and shapes of a decoder's parameters, as Hugging Face names them.</summary>
public static class ParameterShapes
{
    /// <summary>Every parameter that weights for <paramref name="config"/> must hold; linear weights are <c>[out, in]</c>.</summary>
    public static IReadOnlyDictionary<string, long[]> Of(ModelConfig config)
    {
        long width = config.HiddenSize;
        long inner = config.IntermediateSize;
        long queries = (long)config.Heads * config.HeadSize;
        long keys = (long)config.KeyValueHeads * config.HeadSize;
        var shapes = new Dictionary<string, long[]>(StringComparer.Ordinal) { ["model.embed_tokens.weight"] = [config.VocabularySize, width] };
        for (int index = 0; index < config.Layers; index++)
        {
            string layer = $"model.layers.{index}.";
            shapes[layer + "input_layernorm.weight"] = [width];
            shapes[layer + "post_attention_layernorm.weight"] = [width];
            shapes[layer + "mlp.gate_proj.weight"] = [inner, width];
            shapes[layer + "mlp.up_proj.weight"] = [inner, width];
            shapes[layer + "mlp.down_proj.weight"] = [width, inner];
            foreach ((string name, long size) in new[] { ("q", queries), ("k", keys), ("v", keys) })
            {
                shapes[$"{layer}self_attn.{name}_proj.weight"] = [size, width];
                if (config.HasQueryKeyValueBias)
                {
                    shapes[$"{layer}self_attn.{name}_proj.bias"] = [size];
                }
            }

            shapes[layer + "self_attn.o_proj.weight"] = [width, queries];
            if (config.HasOutputBias)
            {
                shapes[layer + "self_attn.o_proj.bias"] = [width];
            }

            if (config.HasQueryKeyNorm)
            {
                shapes[layer + "self_attn.q_norm.weight"] = [config.HeadSize];
                shapes[layer + "self_attn.k_norm.weight"] = [config.HeadSize];
            }
        }

        shapes["model.norm.weight"] = [width];
        if (!config.TiedEmbeddings)
        {
            shapes["lm_head.weight"] = [config.VocabularySize, width];
        }

        return shapes;
    }

    /// <summary>Checks that weights are those of <paramref name="config"/>, all of them and no others.</summary>
    /// <param name="source">What holds the weights, for the message.</param>
    /// <param name="placeOf">Which of several files holds a tensor, for the message; null: <paramref name="source"/> holds all.</param>
    /// <exception cref="UserErrorException">A tensor is missing or superfluous, or has another shape.</exception>
    public static void RequireMatch(ModelConfig config, IReadOnlyDictionary<string, long[]> found, string source, Func<string, string>? placeOf = null)
    {
        IReadOnlyDictionary<string, long[]> expected = Of(config);
        foreach ((string name, long[] shape) in expected)
        {
            if (!found.TryGetValue(name, out long[]? other))
            {
                throw new UserErrorException($"{source}: tensor {name} of shape {Show(shape)} is missing; config.json asks for it.");
            }

            if (!other.SequenceEqual(shape))
            {
                throw new UserErrorException($"{placeOf?.Invoke(name) ?? source}: tensor {name} has shape {Show(other)}, config.json asks for {Show(shape)}.");
            }
        }

        if (found.Keys.FirstOrDefault(name => !expected.ContainsKey(name)) is { } extra)
        {
            throw new UserErrorException($"{placeOf?.Invoke(extra) ?? source}: tensor {extra} of shape {Show(found[extra])} is not part of the model that config.json describes.");
        }
    }

    private static string Show(long[] shape) => $"[{string.Join(", ", shape)}]";
}
