using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// A copy of a decoder's weights in which matrices that multiply the same input are one. Each output element is the same sum as before, so the
/// fusion itself changes no value. Allocated once; a new policy is copied over the old one.
/// </summary>
internal sealed class FusedWeights : IDisposable
{
    private readonly ModelConfig _config;
    private readonly List<Tensor> _owned = [];
    private readonly Tensor? _head;

    internal FusedWeights(ModelConfig config, Device device, ScalarType dtype)
    {
        _config = config;
        long queries = (long)config.Heads * config.HeadSize;
        long keys = (long)config.KeyValueHeads * config.HeadSize;
        Embedding = Allocate(config.VocabularySize, config.HiddenSize);
        Norm = Allocate(config.HiddenSize);
        _head = config.TiedEmbeddings ? null : Allocate(config.VocabularySize, config.HiddenSize);
        Layers =
        [
            .. Enumerable.Range(0, config.Layers).Select(_ => new FusedLayer(
                InputNorm: Allocate(config.HiddenSize),
                QueryKeyValue: Allocate(queries + 2 * keys, config.HiddenSize),
                QueryKeyValueBias: config.HasQueryKeyValueBias ? Allocate(queries + 2 * keys) : null,
                QueryKeyNorm: config.HasQueryKeyNorm ? Allocate(config.Heads + config.KeyValueHeads, config.HeadSize) : null,
                Output: Transposed(Allocate(config.HiddenSize, queries)),
                OutputBias: config.HasOutputBias ? Allocate(config.HiddenSize) : null,
                PostAttentionNorm: Allocate(config.HiddenSize),
                GateUp: Allocate(2L * config.IntermediateSize, config.HiddenSize),
                Down: Transposed(Allocate(config.HiddenSize, config.IntermediateSize)))),
        ];

        Tensor Allocate(params long[] shape) => Own(zeros(shape, dtype, device));

        Tensor Transposed(Tensor weight) => Own(weight.t());

        Tensor Own(Tensor tensor)
        {
            _owned.Add(tensor.DetachFromDisposeScope());
            return tensor;
        }
    }

    /// <summary><c>[V, d]</c></summary>
    internal Tensor Embedding { get; }

    internal FusedLayer[] Layers { get; }

    internal Tensor Norm { get; }

    /// <summary><c>[V, d]</c></summary>
    internal Tensor Head => _head ?? Embedding;

    internal void Load(IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        ParameterShapes.RequireMatch(_config, weights.ToDictionary(entry => entry.Key, entry => entry.Value.shape), source);
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Embedding.copy_(weights["model.embed_tokens.weight"]);
        Norm.copy_(weights["model.norm.weight"]);
        _head?.copy_(weights["lm_head.weight"]);
        for (int index = 0; index < Layers.Length; index++)
        {
            string prefix = $"model.layers.{index}.";
            Tensor Of(string name) => weights[prefix + name];
            FusedLayer layer = Layers[index];
            layer.InputNorm.copy_(Of("input_layernorm.weight"));
            layer.PostAttentionNorm.copy_(Of("post_attention_layernorm.weight"));
            Stack(layer.QueryKeyValue, Of("self_attn.q_proj.weight"), Of("self_attn.k_proj.weight"), Of("self_attn.v_proj.weight"));
            if (layer.QueryKeyValueBias is not null)
            {
                Stack(layer.QueryKeyValueBias, Of("self_attn.q_proj.bias"), Of("self_attn.k_proj.bias"), Of("self_attn.v_proj.bias"));
            }

            if (layer.QueryKeyNorm is not null)
            {
                layer.QueryKeyNorm.narrow(0, 0, _config.Heads).copy_(Of("self_attn.q_norm.weight"));
                layer.QueryKeyNorm.narrow(0, _config.Heads, _config.KeyValueHeads).copy_(Of("self_attn.k_norm.weight"));
            }

            layer.Output.copy_(Of("self_attn.o_proj.weight").t());
            layer.OutputBias?.copy_(Of("self_attn.o_proj.bias"));
            Stack(layer.GateUp, Of("mlp.gate_proj.weight"), Of("mlp.up_proj.weight"));
            layer.Down.copy_(Of("mlp.down_proj.weight").t());
        }
    }

    public void Dispose() => _owned.ForEach(tensor => tensor.Dispose());

    private static void Stack(Tensor target, params Tensor[] parts)
    {
        long row = 0;
        foreach (Tensor part in parts)
        {
            target.narrow(0, row, part.shape[0]).copy_(part);
            row += part.shape[0];
        }
    }
}

/// <summary>One layer of <see cref="FusedWeights"/>.</summary>
/// <param name="QueryKeyValue"><c>[(H + 2·Hkv)·D, d]</c></param>
/// <param name="QueryKeyNorm"><c>[H + Hkv, D]</c>, the same weights for each query head and for each key head.</param>
/// <param name="Output"><c>[H·D, d]</c>, a transposed view.</param>
/// <param name="GateUp"><c>[2·ff, d]</c></param>
/// <param name="Down"><c>[ff, d]</c>, a transposed view.</param>
internal sealed record FusedLayer(
    Tensor InputNorm,
    Tensor QueryKeyValue,
    Tensor? QueryKeyValueBias,
    Tensor? QueryKeyNorm,
    Tensor Output,
    Tensor? OutputBias,
    Tensor PostAttentionNorm,
    Tensor GateUp,
    Tensor Down);
