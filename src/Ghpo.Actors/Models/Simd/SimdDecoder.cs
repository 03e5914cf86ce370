using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Ghpo.Models.Simd;

/// <summary>
/// The decoder for generation on a processor with AVX-512, without torch: packed weights, paged keys and values, activations in float32 whatever the
/// weights' type. A token's logits are the same bits whatever else is computed with it, on however many threads: each number is one chain of
/// operations over its own row (see <see cref="ProductKernel{TWeight,TEpilogue}"/>, <see cref="AttentionKernel{T}"/>).
/// <code>
/// Forward   rows (token, position, sequence) → keys and values cached, hidden states [rows, d]
/// Logits    hidden states → [rows, V]
/// </code>
/// Prompts and answers go the same way: a prompt's positions are rows like others. Not thread-safe; helpers are its own (<see cref="Crew"/>).
/// </summary>
internal sealed unsafe class SimdDecoder : IDisposable
{
    /// <summary>Rows that one item of row-wise work takes.</summary>
    private const int RowsAnItem = 8;

    private readonly ModelConfig _config;
    private readonly bool _narrow;
    private readonly SimdWeights _weights;
    private readonly RotaryTable _rotary;
    private readonly float* _cos;
    private readonly float* _signedSin;
    private readonly HeadShape _head;
    private readonly List<IDisposable> _owned = [];
    private readonly float* _x;
    private readonly float* _normed;
    private readonly float* _heads;
    private readonly float* _attended;
    private readonly float* _gated;
    private readonly int _hidden;
    private readonly int _queries;
    private readonly ThreadRoom[] _rooms;

    // What the work of the moment is about.
    private DecoderRow[] _rows = [];
    private int _count;
    private int _layer;
    private float* _normWeight;
    private float* _logits;

    /// <param name="rows">Most rows of a call.</param>
    /// <param name="maxLength">Longest sequence in tokens.</param>
    /// <param name="cacheBytes">What the cached keys and values may take.</param>
    /// <param name="threads">The caller's included.</param>
    internal SimdDecoder(ModelConfig config, ScalarType dtype, int rows, int maxLength, long cacheBytes, int threads)
    {
        _config = config;
        _narrow = dtype == ScalarType.BFloat16;
        Crew = Own(new Crew(threads));
        _weights = Own(new SimdWeights(config, dtype));
        Cache = Own(new PagedCache(config, _narrow, cacheBytes));
        _rotary = Own(new RotaryTable(maxLength, config.HeadSize, config.RopeTheta, CPU, ScalarType.Float32, config.RopeScaling));
        _cos = (float*)TensorMemory.Address(_rotary.Cos);
        _signedSin = (float*)TensorMemory.Address(_rotary.SignedSin);
        _head = new HeadShape(config.HeadSize, Cache.ValueStride, Cache.KeyBytes);
        SimdLayer layer = _weights.Layers[0];
        _hidden = layer.Down.Stride;
        _queries = layer.QueryKeyValue.Stride;
        MostRows = rows;
        _x = Floats((long)rows * _hidden);
        _normed = Floats((long)rows * _hidden);
        _heads = Floats((long)rows * _queries);
        _attended = Floats((long)rows * config.Heads * config.HeadSize);
        _gated = Floats((long)rows * layer.GateUp.Stride / 2);
        _rooms = [.. Enumerable.Range(0, threads).Select(_ => Own(new ThreadRoom(maxLength, Cache.ValueStride, rows)))];
    }

    /// <summary>Whether this processor can run it.</summary>
    internal static bool IsSupported => Avx512F.IsSupported;

    internal Crew Crew { get; }

    internal PagedCache Cache { get; }

    internal int MostRows { get; }

    /// <summary>Numbers from one row of logits to the next.</summary>
    internal int LogitsStride => _weights.Head.Stride;

    internal void Load(IReadOnlyDictionary<string, Tensor> weights, string source) => _weights.Load(weights, source, Crew);

    /// <summary>Computes rows whose positions are writable (<see cref="PagedCache.TryReserve"/>); positions of one sequence in ascending order.</summary>
    internal void Forward(DecoderRow[] rows, int count)
    {
        _rows = rows;
        _count = count;
        int blocks = (count + RowsAnItem - 1) / RowsAnItem;
        Crew.Run(blocks, Embed);
        for (_layer = 0; _layer < _config.Layers; _layer++)
        {
            SimdLayer layer = _weights.Layers[_layer];
            _normWeight = layer.InputNorm.Singles;
            Crew.Run(blocks, Normalise);
            Crew.Run(layer.QueryKeyValue.Panels, ProjectHeads);
            Crew.Run(blocks, Store);
            Crew.Run(count * _config.KeyValueHeads, Attend);
            Crew.Run(layer.Output.Panels, ProjectAttended);
            _normWeight = layer.PostAttentionNorm.Singles;
            Crew.Run(blocks, Normalise);
            Crew.Run(layer.GateUp.Panels, Gate);
            Crew.Run(layer.Down.Panels, ProjectGated);
        }
    }

    /// <summary>Scores of the next token after each of the last <see cref="Forward"/>'s rows: <c>[rows, V]</c>, rows <see cref="LogitsStride"/> apart.</summary>
    internal void Logits(float* to)
    {
        _logits = to;
        _normWeight = _weights.Norm.Singles;
        Crew.Run((_count + RowsAnItem - 1) / RowsAnItem, Normalise);
        Crew.Run(_weights.Head.Panels, Score);
    }

    public void Dispose() => _owned.ForEach(owned => owned.Dispose());

    private void Embed(int item, int thread)
    {
        for (int row = item * RowsAnItem; row < Math.Min(_count, (item + 1) * RowsAnItem); row++)
        {
            _weights.Embedding.CopyColumn(_rows[row].Token, _x + (long)row * _hidden);
        }
    }

    private void Normalise(int item, int thread)
    {
        for (int row = item * RowsAnItem; row < Math.Min(_count, (item + 1) * RowsAnItem); row++)
        {
            RowMath.Normalise(_x + (long)row * _hidden, _normWeight, _normed + (long)row * _hidden, _config.HiddenSize, (float)_config.NormEpsilon);
        }
    }

    private void ProjectHeads(int panel, int thread)
    {
        SimdLayer layer = _weights.Layers[_layer];
        layer.QueryKeyValue.Multiply(panel, _normed, _hidden, _count, new StoreProduct(_heads, _queries, Start(layer.QueryKeyValueBias)), _rooms[thread].Sums);
    }

    /// <summary>Normalises (Qwen3) and turns queries and keys, and caches keys and values.</summary>
    private void Store(int item, int thread)
    {
        for (int row = item * RowsAnItem; row < Math.Min(_count, (item + 1) * RowsAnItem); row++)
        {
            if (_narrow)
            {
                Store<PackedBrain>(row);
            }
            else
            {
                Store<PackedSingle>(row);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Store<T>(int row)
        where T : struct, IPackedType
    {
        SimdLayer layer = _weights.Layers[_layer];
        int size = _config.HeadSize;
        int position = _rows[row].Position;
        float* heads = _heads + (long)row * _queries;
        for (int head = 0; head < _config.Heads + _config.KeyValueHeads; head++)
        {
            NativeBuffer? norm = head < _config.Heads ? layer.QueryNorm : layer.KeyNorm;
            if (norm is not null)
            {
                RowMath.Normalise(heads + head * size, norm.Singles, heads + head * size, size, (float)_config.NormEpsilon);
            }

            RowMath.Turn(heads + head * size, _cos + (long)position * size, _signedSin + (long)position * size, size);
        }

        int place = position % PagedCache.Positions;
        float* keys = heads + _config.Heads * size;
        float* values = keys + _config.KeyValueHeads * size;
        for (int head = 0; head < _config.KeyValueHeads; head++)
        {
            byte* to = Head(row, position / PagedCache.Positions, head);
            byte* valuesTo = to + _head.KeyBytes + (long)place * _head.ValueStride * T.Size;
            for (int d = 0; d < size; d++)
            {
                T.Store(keys[head * size + d], to + (d * PagedCache.Positions + place) * T.Size);
                T.Store(values[head * size + d], valuesTo + d * T.Size);
            }
        }
    }

    private void Attend(int item, int thread)
    {
        (int row, int head) = Math.DivRem(item, _config.KeyValueHeads);
        int length = _rows[row].Position + 1;
        int group = _config.Heads / _config.KeyValueHeads;
        ThreadRoom room = _rooms[thread];
        for (int block = 0; block < PagedCache.BlocksOf(length); block++)
        {
            room.Blocks[block] = Head(row, block, head);
        }

        // What this thread most likely does next.
        (int nextRow, int nextHead) = Math.DivRem(Math.Min(item + 1, _count * _config.KeyValueHeads - 1), _config.KeyValueHeads);
        room.Blocks[PagedCache.BlocksOf(length)] = Head(nextRow, 0, nextHead);
        float* query = _heads + (long)row * _queries + head * group * _head.Size;
        float* attended = _attended + ((long)row * _config.Heads + head * group) * _head.Size;
        if (_narrow)
        {
            AttentionKernel<PackedBrain>.Run(query, group, room.Blocks, length, _head, room.Scores, attended, room.Lanes);
        }
        else
        {
            AttentionKernel<PackedSingle>.Run(query, group, room.Blocks, length, _head, room.Scores, attended, room.Lanes);
        }
    }

    private void ProjectAttended(int panel, int thread)
    {
        SimdLayer layer = _weights.Layers[_layer];
        layer.Output.Multiply(panel, _attended, _config.Heads * _head.Size, _count, new AddProduct(_x, _hidden, Start(layer.OutputBias)), _rooms[thread].Sums);
    }

    private void Gate(int panel, int thread)
    {
        PackedMatrix matrix = _weights.Layers[_layer].GateUp;
        matrix.Multiply(panel, _normed, _hidden, _count, new StoreGated(_gated, matrix.Stride / 2), _rooms[thread].Sums);
    }

    private void ProjectGated(int panel, int thread)
    {
        SimdLayer layer = _weights.Layers[_layer];
        layer.Down.Multiply(panel, _gated, layer.GateUp.Stride / 2, _count, new AddProduct(_x, _hidden, null), _rooms[thread].Sums);
    }

    private void Score(int panel, int thread) =>
        _weights.Head.Multiply(panel, _normed, _hidden, _count, new StoreProduct(_logits, LogitsStride, null), _rooms[thread].Sums);

    /// <summary>Keys of a head in a block of the row's sequence, in this layer.</summary>
    private byte* Head(int row, int block, int head) =>
        Cache.Block(_rows[row].Blocks[block]) + ((long)_layer * _config.KeyValueHeads + head) * Cache.HeadBytes;

    private static float* Start(NativeBuffer? buffer) => buffer is null ? null : buffer.Singles;

    private float* Floats(long count) => Own(NativeBuffer.Floats(count)).Singles;

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    /// <summary>Scratch memory of one thread.</summary>
    private sealed class ThreadRoom : IDisposable
    {
        private readonly NativeBuffer _scores;
        private readonly NativeBuffer _lanes;
        private readonly NativeBuffer _blocks;
        private readonly NativeBuffer _sums;

        internal ThreadRoom(int maxLength, int valueStride, int rows)
        {
            _scores = NativeBuffer.Floats(4L * PagedCache.Padded(maxLength));
            _lanes = NativeBuffer.Floats(4L * valueStride);
            _blocks = new NativeBuffer((PagedCache.BlocksOf(maxLength) + 1L) * sizeof(byte*));
            _sums = NativeBuffer.Floats((long)rows * PackedMatrix.PanelColumns);
        }

        internal float* Scores => _scores.Singles;

        internal float* Lanes => _lanes.Singles;

        /// <summary>A product's sums of one panel, while they are not complete.</summary>
        internal float* Sums => _sums.Singles;

        internal byte** Blocks => (byte**)_blocks.Start;

        public void Dispose()
        {
            _scores.Dispose();
            _lanes.Dispose();
            _blocks.Dispose();
            _sums.Dispose();
        }
    }
}

/// <summary>A token to compute.</summary>
/// <param name="Position">Where in its sequence it stands.</param>
/// <param name="Blocks">Its sequence's blocks in the cache.</param>
internal readonly record struct DecoderRow(int Token, int Position, List<int> Blocks);
