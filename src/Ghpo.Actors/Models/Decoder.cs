using Ghpo.Configuration;
using Ghpo.Models.Simd;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// A decoder-only transformer: RMSNorm before each block, rotary positions, grouped-query attention, SwiGLU. Parameters bear Hugging Face's
/// names, in Hugging Face's order. This is the differentiable form, for training and for scoring whole sequences; <see cref="CachedDecoder"/>
/// decodes token by token. Not thread-safe while its weights are written.
/// </summary>
public sealed class Decoder : NamedModule
{
    private readonly DecoderStack _model;
    private readonly Weights? _head;
    private RotaryTable _rotary;

    /// <summary>Allocates the parameters. Their values are undefined until <see cref="Initialise"/> or <see cref="CopyFrom"/>.</summary>
    public Decoder(ModelConfig config, Device device, ScalarType dtype)
        : base(nameof(Decoder))
    {
        Config = config;
        Device = device;
        Dtype = dtype;
        _model = new DecoderStack(config, device, dtype);
        register_module("model", _model);
        if (!config.TiedEmbeddings)
        {
            _head = new Weights(device, dtype, bias: false, config.VocabularySize, config.HiddenSize);
            register_module("lm_head", _head);
        }

        _rotary = Table(Math.Min(config.MaxPositions, 512));
    }

    public ModelConfig Config { get; }

    public Device Device { get; }

    public ScalarType Dtype { get; }

    /// <summary>Whether layers keep only their inputs for backward and compute themselves again there.</summary>
    public bool Checkpointing { get; set; }

    /// <summary>Threads of row-wise steps, not owned; null: the caller's alone. With any number of them the results are the same bits.</summary>
    internal Crew? Crew { get; set; }

    /// <summary>
    /// Hidden states after the final norm. Attention is causal and positions count from 0, so a batch padded on the RIGHT needs no mask: no real
    /// token sees padding.
    /// </summary>
    /// <param name="ids">int64 <c>[B, T]</c></param>
    /// <returns><c>[B, T, d]</c></returns>
    public Tensor Hidden(Tensor ids)
    {
        int length = checked((int)ids.shape[1]);
        if (length > Config.MaxPositions)
        {
            throw new ArgumentException($"A sequence of {length} tokens is longer than the model's max_position_embeddings, {Config.MaxPositions}.", nameof(ids));
        }

        if (length > _rotary.Cos.shape[0])
        {
            _rotary.Dispose();
            _rotary = Table(Math.Min(Config.MaxPositions, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length)));
        }

        using DisposeScope scope = NewDisposeScope();
        return _model.Forward(ids, _rotary, Checkpointing, Crew).MoveToOuterDisposeScope();
    }

    /// <summary>Scores of the next token: <c>[..., d]</c> → <c>[..., V]</c>.</summary>
    public Tensor Logits(Tensor hidden) => nn.functional.linear(hidden, Head);

    /// <summary><c>[V, d]</c>, what <see cref="Logits"/> multiplies by.</summary>
    internal Tensor Head => (_head ?? _model.Embedding).Weight;

    /// <summary>The layers' matrices with their paths, as <c>model.layers.0.self_attn.q_proj</c>.</summary>
    internal IEnumerable<(string Path, Weights Weights)> Matrices() => _model.Matrices().Select(matrix => ("model." + matrix.Path, matrix.Weights));

    /// <summary>
    /// Fresh weights for pretraining: embeddings from N(0, 0.02²), matrices from N(0, 1/in) with in their number of columns, those that write to the
    /// residual stream from N(0, 1/(2·layers·in)), norms 1, biases 0. The same seed gives the same weights on every device. The usual 0.02 for
    /// matrices is 1/√in at a width of 2,500; in a model of width 96 it leaves attention flat for hundreds of steps.
    /// </summary>
    public void Initialise(ulong seed)
    {
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(seed, CPU);
        foreach ((string name, Parameter parameter) in named_parameters())
        {
            if (parameter.dim() == 1)
            {
                parameter.fill_(name.EndsWith("bias", StringComparison.Ordinal) ? 0 : 1);
                continue;
            }

            double variance = 1.0 / parameter.shape[1];
            bool writesResidual = name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            double deviation = name.Contains("embed_tokens", StringComparison.Ordinal) || name.StartsWith("lm_head", StringComparison.Ordinal)
                ? 0.02
                : Math.Sqrt(writesResidual ? variance / (2 * Config.Layers) : variance);
            parameter.copy_(empty(parameter.shape).normal_(0, deviation, generator));
        }
    }

    /// <summary>Overwrites every parameter, converting type and device.</summary>
    /// <exception cref="UserErrorException">A tensor is missing or superfluous, or has another shape; names <paramref name="source"/> and tensor.</exception>
    public void CopyFrom(IReadOnlyDictionary<string, Tensor> weights, string source)
    {
        using IDisposable _ = no_grad();
        ParameterShapes.RequireMatch(Config, weights.ToDictionary(entry => entry.Key, entry => entry.Value.shape), source);
        foreach ((string name, Parameter parameter) in named_parameters())
        {
            parameter.copy_(weights[name]);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rotary.Dispose();
        }

        base.Dispose(disposing);
    }

    private RotaryTable Table(int positions) => new(positions, Config.HeadSize, Config.RopeTheta, Device, Dtype, Config.RopeScaling);
}
