using Ghpo.Models.Simd;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>A weight and perhaps a bias under Hugging Face's names. Allocated, not initialised: torch's own modules would draw from the global generator.</summary>
internal sealed class Weights : NamedModule
{
    private readonly bool _wide;

    internal Weights(Device device, ScalarType dtype, bool bias, params long[] shape)
        : base(nameof(Weights))
    {
        _wide = WideProduct.Serves(device, dtype);
        Weight = Allocate(shape, device, dtype);
        register_parameter("weight", Weight);
        if (bias)
        {
            Bias = Allocate([shape[0]], device, dtype);
            register_parameter("bias", Bias);
        }
    }

    internal Parameter Weight { get; }

    internal Parameter? Bias { get; }

    /// <summary>What is added to the weight; null: nothing.</summary>
    internal LoraAdapter? Adapter { get; set; }

    /// <summary>x <c>[..., in]</c> → x·Wᵀ + b <c>[..., out]</c>, plus (α / r)·(x·Aᵀ)·Bᵀ with an adapter.</summary>
    internal Tensor Project(Tensor x)
    {
        Tensor y = _wide ? WideProduct.Of(x, Weight, Bias) : nn.functional.linear(x, Weight, Bias);
        if (Adapter is not null)
        {
            // Backward needs neither sum nor summands.
            using Tensor low = nn.functional.linear(x, Adapter.A);
            using Tensor learned = nn.functional.linear(low, Adapter.B);
            y.add_(learned, alpha: Adapter.Scale);
        }

        return y;
    }

    private static Parameter Allocate(long[] shape, Device device, ScalarType dtype)
    {
        // A module outlives the scope it is made in.
        var parameter = new Parameter(empty(shape, dtype, device));
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}

/// <summary>Embedding, layers, final norm: what Hugging Face calls <c>model</c>.</summary>
internal sealed class DecoderStack : NamedModule
{
    private readonly ModelConfig _config;
    private readonly DecoderLayer[] _layers;
    private readonly Weights _norm;

    internal DecoderStack(ModelConfig config, Device device, ScalarType dtype)
        : base(nameof(DecoderStack))
    {
        _config = config;
        Embedding = new Weights(device, dtype, bias: false, config.VocabularySize, config.HiddenSize);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(_ => new DecoderLayer(config, device, dtype))];
        _norm = new Weights(device, dtype, bias: false, config.HiddenSize);
        register_module("embed_tokens", Embedding);
        register_module("layers", new ModuleList<DecoderLayer>(_layers));
        register_module("norm", _norm);
    }

    internal Weights Embedding { get; }

    internal IEnumerable<(string Path, Weights Weights)> Matrices() =>
        _layers.SelectMany((layer, index) => layer.Matrices().Select(matrix => ($"layers.{index}.{matrix.Path}", matrix.Weights)));

    /// <param name="checkpointing">See <see cref="CheckpointedLayer"/>.</param>
    /// <param name="crew">Threads of row-wise steps; null: the caller's alone.</param>
    internal Tensor Forward(Tensor ids, RotaryTable rotary, bool checkpointing, Crew? crew)
    {
        long length = ids.shape[1];
        var turning = new Turning(rotary, rotary.Cos.narrow(0, 0, length), rotary.SignedSin.narrow(0, 0, length));
        Tensor x = Embedding.Weight.index_select(0, ids.flatten()).view(ids.shape[0], length, _config.HiddenSize);
        bool again = checkpointing && is_grad_enabled();
        if (again && !x.requires_grad)
        {
            // With a frozen embedding; a function none of whose inputs has a gradient would not be asked for the parameters'.
            x = x.detach().requires_grad_();
        }

        foreach (DecoderLayer layer in _layers)
        {
            // What backward does not need is given back layer by layer.
            using DisposeScope scope = NewDisposeScope();
            Tensor y = again ? CheckpointedLayer.Of(layer, x, turning, crew) : layer.Forward(x, turning, crew);
            x.Dispose();
            x = y.MoveToOuterDisposeScope();
        }

        return RmsNorm.Of(x, _norm.Weight, _config.NormEpsilon, crew);
    }
}

/// <summary>x + attention(norm(x)), then x + feed-forward(norm(x)).</summary>
internal sealed class DecoderLayer : NamedModule
{
    private readonly double _epsilon;
    private readonly Attention _attention;
    private readonly FeedForward _feedForward;
    private readonly Weights _inputNorm;
    private readonly Weights _postAttentionNorm;

    internal DecoderLayer(ModelConfig config, Device device, ScalarType dtype)
        : base(nameof(DecoderLayer))
    {
        _epsilon = config.NormEpsilon;
        _attention = new Attention(config, device, dtype);
        _feedForward = new FeedForward(config, device, dtype);
        _inputNorm = new Weights(device, dtype, bias: false, config.HiddenSize);
        _postAttentionNorm = new Weights(device, dtype, bias: false, config.HiddenSize);
        register_module("self_attn", _attention);
        register_module("mlp", _feedForward);
        register_module("input_layernorm", _inputNorm);
        register_module("post_attention_layernorm", _postAttentionNorm);
    }

    internal IEnumerable<(string Path, Weights Weights)> Matrices() =>
        _attention.Matrices().Select(matrix => ("self_attn." + matrix.Name, matrix.Weights))
            .Concat(_feedForward.Matrices().Select(matrix => ("mlp." + matrix.Name, matrix.Weights)));

    /// <summary>Gives each tensor back when the next one is made; the graph holds those that backward needs.</summary>
    internal Tensor Forward(Tensor x, Turning turning, Crew? crew)
    {
        using Tensor attended = AddedTo(x, _inputNorm, normed => _attention.Forward(normed, turning, crew));
        return AddedTo(attended, _postAttentionNorm, normed => _feedForward.Forward(normed, crew));

        Tensor AddedTo(Tensor stream, Weights norm, Func<Tensor, Tensor> block)
        {
            using Tensor normed = RmsNorm.Of(stream, norm.Weight, _epsilon, crew);
            using Tensor change = block(normed);
            return stream.add(change);
        }
    }
}

/// <summary>A rotary table and its rows for positions 0 to T − 1.</summary>
/// <param name="Cos"><c>[T, D]</c></param>
/// <param name="SignedSin"><c>[T, D]</c></param>
internal sealed record Turning(RotaryTable Table, Tensor Cos, Tensor SignedSin)
{
    internal Tensor Of(Tensor x) => Table.Turn(x, Cos, SignedSin);
}

/// <summary>Causal grouped-query attention: H query heads of width D share Hkv key and value heads, H/Hkv each.</summary>
internal sealed class Attention : NamedModule
{
    private readonly ModelConfig _config;
    private readonly Weights _query;
    private readonly Weights _key;
    private readonly Weights _value;
    private readonly Weights _output;
    private readonly Weights? _queryNorm;
    private readonly Weights? _keyNorm;

    internal Attention(ModelConfig config, Device device, ScalarType dtype)
        : base(nameof(Attention))
    {
        _config = config;
        long queries = (long)config.Heads * config.HeadSize;
        long keys = (long)config.KeyValueHeads * config.HeadSize;
        _query = new Weights(device, dtype, config.HasQueryKeyValueBias, queries, config.HiddenSize);
        _key = new Weights(device, dtype, config.HasQueryKeyValueBias, keys, config.HiddenSize);
        _value = new Weights(device, dtype, config.HasQueryKeyValueBias, keys, config.HiddenSize);
        _output = new Weights(device, dtype, config.HasOutputBias, config.HiddenSize, queries);
        register_module("q_proj", _query);
        register_module("k_proj", _key);
        register_module("v_proj", _value);
        register_module("o_proj", _output);
        if (config.HasQueryKeyNorm)
        {
            _queryNorm = new Weights(device, dtype, bias: false, config.HeadSize);
            _keyNorm = new Weights(device, dtype, bias: false, config.HeadSize);
            register_module("q_norm", _queryNorm);
            register_module("k_norm", _keyNorm);
        }
    }

    internal IEnumerable<(string Name, Weights Weights)> Matrices() => [("q_proj", _query), ("k_proj", _key), ("v_proj", _value), ("o_proj", _output)];

    internal Tensor Forward(Tensor x, Turning turning, Crew? crew)
    {
        long batch = x.shape[0];
        long length = x.shape[1];
        using DisposeScope scope = NewDisposeScope();
        Tensor query = Heads(_query, _config.Heads, _queryNorm, turned: true);
        Tensor key = Heads(_key, _config.KeyValueHeads, _keyNorm, turned: true);
        Tensor value = Heads(_value, _config.KeyValueHeads, norm: null, turned: false);
        Tensor attended = nn.functional.scaled_dot_product_attention(query, Shared(key), Shared(value), is_casual: true);
        return _output.Project(attended.transpose(1, 2).reshape(batch, length, (long)_config.Heads * _config.HeadSize)).MoveToOuterDisposeScope();

        // [B, T, d] → [B, heads, T, D]; what leads there is given back at once.
        Tensor Heads(Weights projection, int heads, Weights? norm, bool turned)
        {
            using DisposeScope inner = NewDisposeScope();
            Tensor split = projection.Project(x).view(batch, length, heads, _config.HeadSize);
            Tensor apart = (norm is null ? split : RmsNorm.Of(split, norm.Weight, _config.NormEpsilon, crew)).transpose(1, 2);
            return (turned ? turning.Of(apart) : apart).MoveToOuterDisposeScope();
        }

        // [B, Hkv, T, D] → [B, H, T, D], each head repeated for the query heads that share it.
        Tensor Shared(Tensor heads) => _config.Heads == _config.KeyValueHeads
            ? heads
            : heads.unsqueeze(2)
                .expand(batch, _config.KeyValueHeads, _config.Heads / _config.KeyValueHeads, length, _config.HeadSize)
                .reshape(batch, _config.Heads, length, _config.HeadSize);
    }
}

/// <summary>SwiGLU: down(silu(gate(x)) · up(x)). Source: Shazeer 2020, equation 6.</summary>
internal sealed class FeedForward : NamedModule
{
    private readonly Weights _gate;
    private readonly Weights _up;
    private readonly Weights _down;

    internal FeedForward(ModelConfig config, Device device, ScalarType dtype)
        : base(nameof(FeedForward))
    {
        _gate = new Weights(device, dtype, bias: false, config.IntermediateSize, config.HiddenSize);
        _up = new Weights(device, dtype, bias: false, config.IntermediateSize, config.HiddenSize);
        _down = new Weights(device, dtype, bias: false, config.HiddenSize, config.IntermediateSize);
        register_module("gate_proj", _gate);
        register_module("up_proj", _up);
        register_module("down_proj", _down);
    }

    internal IEnumerable<(string Name, Weights Weights)> Matrices() => [("gate_proj", _gate), ("up_proj", _up), ("down_proj", _down)];

    internal Tensor Forward(Tensor x, Crew? crew)
    {
        using Tensor gated = Gated(x, crew);
        return _down.Project(gated);
    }

    private Tensor Gated(Tensor x, Crew? crew)
    {
        using Tensor gate = _gate.Project(x);
        using Tensor up = _up.Project(x);
        if (TrainingWork.Takes(gate))
        {
            return FusedGate.Of(gate, up, crew);
        }

        using Tensor open = nn.functional.silu(gate);
        return open.mul(up);
    }
}
