using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// The decoder for generation: keys and values of past positions are cached, so that a token costs one position's work. It holds its own copy
/// of the weights, with q, k, v as one matrix and gate, up as another: a call from C# costs some microseconds, which is what a small model
/// spends its time on. Rows are independent sequences. Call it in inference mode, inside a dispose scope. Not thread-safe.
/// </summary>
public sealed class CachedDecoder : IDisposable
{
    /// <summary>Cached lengths are attended to in multiples of this many positions (see GenerationEngine).</summary>
    public const int LengthUnit = 16;

    private readonly ModelConfig _config;
    private readonly FusedWeights _weights;
    private readonly RotaryTable _rotary;
    private readonly int _capacity;

    /// <summary><c>[layers, rows, 2·Hkv, capacity, D]</c>, keys before values. Unused positions hold finite numbers: masking is by weight 0.</summary>
    private readonly Tensor _cache;

    /// <summary>Of each layer: the cache as <c>[rows, 2·Hkv, capacity, D]</c> and as <c>[rows·2·Hkv·capacity, D]</c>.</summary>
    private readonly (Tensor Rows, Tensor Flat)[] _layers;

    /// <summary><c>[rows, 2·Hkv]</c>: where in the flat cache the row's and head's position 0 is.</summary>
    private readonly Tensor _origins;

    /// <summary><c>[capacity]</c>: 0, 1, 2, ...</summary>
    private readonly Tensor _positions;
    private readonly Tensor _zero;
    private readonly Tensor _minusInfinity;

    /// <param name="rows">Sequences decoded together.</param>
    /// <param name="maxLength">Longest sequence in tokens.</param>
    public CachedDecoder(ModelConfig config, Device device, ScalarType dtype, int rows, int maxLength)
    {
        _config = config;
        _capacity = (maxLength + LengthUnit - 1) / LengthUnit * LengthUnit;
        long heads = 2L * config.KeyValueHeads;
        _weights = new FusedWeights(config, device, dtype);
        _rotary = new RotaryTable(maxLength, config.HeadSize, config.RopeTheta, device, dtype, config.RopeScaling);
        using DisposeScope scope = NewDisposeScope();
        _cache = zeros([config.Layers, rows, heads, _capacity, config.HeadSize], dtype, device).DetachFromDisposeScope();
        _layers =
        [
            .. Enumerable.Range(0, config.Layers)
                .Select(layer => _cache.select(0, layer))
                .Select(layer => (layer.DetachFromDisposeScope(), layer.view(-1, config.HeadSize).DetachFromDisposeScope())),
        ];
        _origins = arange(rows * heads, ScalarType.Int64, device).mul_(_capacity).view(rows, heads).DetachFromDisposeScope();
        _positions = arange(_capacity, ScalarType.Int64, device).DetachFromDisposeScope();
        _zero = tensor(0f, device).to(dtype).DetachFromDisposeScope();
        _minusInfinity = tensor(float.NegativeInfinity, device).to(dtype).DetachFromDisposeScope();
    }

    /// <summary>Copies weights in.</summary>
    /// <exception cref="Configuration.UserErrorException">They are not the model's; names <paramref name="source"/> and tensor.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> weights, string source) => _weights.Load(weights, source);

    /// <summary>Makes every cached number finite again.</summary>
    public void Clear() => _cache.zero_();

    /// <summary>Runs tokens through the model at positions 0, 1, ... and caches their keys and values in <paramref name="count"/> rows from <paramref name="row"/> on.</summary>
    /// <param name="ids">int64 <c>[P]</c></param>
    public void Prefill(Tensor ids, int row, int count)
    {
        long length = ids.shape[0];
        Tensor cos = _rotary.Cos.narrow(0, 0, length).unsqueeze(1);
        Tensor sin = _rotary.SignedSin.narrow(0, 0, length).unsqueeze(1);
        Tensor x = _weights.Embedding.index_select(0, ids);
        for (int index = 0; index < _config.Layers; index++)
        {
            FusedLayer layer = _weights.Layers[index];

            // [P, H + 2·Hkv, D] → [H + 2·Hkv, P, D]
            Tensor heads = Project(layer, x, cos, sin).transpose(0, 1);
            Tensor stored = heads.narrow(0, _config.Heads, 2L * _config.KeyValueHeads);
            _layers[index].Rows.narrow(0, row, count).narrow(2, 0, length).copy_(stored.unsqueeze(0).expand(count, -1, -1, -1));
            if (index == _config.Layers - 1)
            {
                return;
            }

            Tensor attended = nn.functional.scaled_dot_product_attention(
                heads.narrow(0, 0, _config.Heads).unsqueeze(0), Shared(stored, 0, length), Shared(stored, _config.KeyValueHeads, length), is_casual: true);
            x = Finish(layer, x, attended.squeeze(0).transpose(0, 1).reshape(length, -1));
        }
    }

    /// <summary>Decodes one token of each of the first B rows, at the position after those that the row has cached.</summary>
    /// <param name="ids">int64 <c>[B]</c></param>
    /// <param name="positions">int64 <c>[B]</c>, where in its row each token stands.</param>
    /// <param name="longest">The largest of the positions.</param>
    /// <returns>Scores of the next token, <c>[B, V]</c>.</returns>
    public Tensor Decode(Tensor ids, Tensor positions, int longest)
    {
        long rows = ids.shape[0];
        long length = (longest + LengthUnit) / LengthUnit * LengthUnit;
        Tensor cos = _rotary.Cos.index_select(0, positions).unsqueeze(1);
        Tensor sin = _rotary.SignedSin.index_select(0, positions).unsqueeze(1);
        Tensor places = _origins.narrow(0, 0, rows).add(positions.unsqueeze(1)).view(-1);

        // [B, 1, 1, T]: 0 where a position is the row's own or before it, −∞ where it is after.
        Tensor mask = where(_positions.narrow(0, 0, length).le(positions.view(rows, 1, 1, 1)), _zero, _minusInfinity);
        Tensor x = _weights.Embedding.index_select(0, ids);
        for (int index = 0; index < _config.Layers; index++)
        {
            FusedLayer layer = _weights.Layers[index];
            Tensor heads = Project(layer, x, cos, sin);
            _layers[index].Flat.index_copy_(0, places, heads.narrow(1, _config.Heads, 2L * _config.KeyValueHeads).reshape(-1, _config.HeadSize));

            // The query heads that share a key head become that head's query positions, so keys and values need no repetition.
            Tensor queries = heads.narrow(1, 0, _config.Heads).unflatten(1, [_config.KeyValueHeads, -1]);
            Tensor cached = _layers[index].Rows.narrow(0, 0, rows).narrow(2, 0, length);
            Tensor attended = nn.functional.scaled_dot_product_attention(
                queries, cached.narrow(1, 0, _config.KeyValueHeads), cached.narrow(1, _config.KeyValueHeads, _config.KeyValueHeads), mask);
            x = Finish(layer, x, attended.reshape(rows, -1));
        }

        return nn.functional.linear(RmsNorm.Of(x, _weights.Norm, _config.NormEpsilon, crew: null), _weights.Head);
    }

    /// <summary>Copies the first <paramref name="length"/> cached positions of one row over another.</summary>
    public void CopyRow(int from, int to, int length) =>
        _cache.select(1, to).narrow(2, 0, length).copy_(_cache.select(1, from).narrow(2, 0, length));

    public void Dispose()
    {
        foreach ((Tensor rows, Tensor flat) in _layers)
        {
            rows.Dispose();
            flat.Dispose();
        }

        _cache.Dispose();
        _origins.Dispose();
        _positions.Dispose();
        _zero.Dispose();
        _minusInfinity.Dispose();
        _rotary.Dispose();
        _weights.Dispose();
    }

    /// <summary>x <c>[N, d]</c> → heads of q, k, v <c>[N, H + 2·Hkv, D]</c>, q and k normalised if the model does so and turned to their positions.</summary>
    private Tensor Project(FusedLayer layer, Tensor x, Tensor cos, Tensor sin)
    {
        Tensor heads = nn.functional.linear(RmsNorm.Of(x, layer.InputNorm, _config.NormEpsilon, crew: null), layer.QueryKeyValue, layer.QueryKeyValueBias)
            .view(x.shape[0], -1, _config.HeadSize);
        Tensor turning = heads.narrow(1, 0, _config.Heads + _config.KeyValueHeads);
        turning.copy_(_rotary.Turn(layer.QueryKeyNorm is null ? turning : RmsNorm.Apply(turning, layer.QueryKeyNorm, _config.NormEpsilon), cos, sin));
        return heads;
    }

    /// <summary>The output projection and the feed-forward block, each added to the residual stream x <c>[N, d]</c>.</summary>
    private Tensor Finish(FusedLayer layer, Tensor x, Tensor attended)
    {
        Tensor y = addmm(x, attended, layer.Output, 1, 1);
        if (layer.OutputBias is not null)
        {
            y.add_(layer.OutputBias);
        }

        Tensor wide = nn.functional.linear(RmsNorm.Of(y, layer.PostAttentionNorm, _config.NormEpsilon, crew: null), layer.GateUp);
        Tensor gated = wide.narrow(1, 0, _config.IntermediateSize).silu().mul_(wide.narrow(1, _config.IntermediateSize, _config.IntermediateSize));
        return addmm(y, gated, layer.Down, 1, 1);
    }

    /// <summary>Key or value heads <c>[Hkv, P, D]</c> from <paramref name="first"/> on, repeated for the query heads that share them: <c>[1, H, P, D]</c>.</summary>
    private Tensor Shared(Tensor stored, long first, long length) => stored.narrow(0, first, _config.KeyValueHeads)
        .unsqueeze(1)
        .expand(-1, _config.Heads / _config.KeyValueHeads, -1, -1)
        .reshape(1, _config.Heads, length, _config.HeadSize);
}
