using Ghpo.Models;
using Ghpo.Models.Simd;
using static TorchSharp.torch;

namespace Ghpo.Rollout;

/// <summary>
/// Rows computed by <see cref="SimdDecoder"/> on a processor with AVX-512. The rows of a group share the blocks of their prompt; each takes a block of
/// its own when it writes to one. A row's results are the same bits in any company and on any number of threads, in float32 and bfloat16.
/// </summary>
internal sealed unsafe class SimdRows : IRowDecoder
{
    /// <summary>Positions of a prompt that are computed together: their rows stay in a core's cache while the weights pass by.</summary>
    private const int PrefillRows = 128;

    private readonly SimdDecoder _decoder;
    private readonly List<int>[] _sequences;
    private readonly DecoderRow[] _inputs;
    private readonly NativeBuffer _logits;
    private readonly NativeBuffer[] _rooms;
    private readonly RowInput[] _draws;
    private readonly DrawnToken[] _drawn;
    private readonly int _vocabulary;

    /// <param name="cacheBytes">What cached keys and values may take.</param>
    internal SimdRows(ModelConfig config, ScalarType dtype, int rows, int maxLength, long cacheBytes, int threads)
    {
        _vocabulary = config.VocabularySize;
        _decoder = new SimdDecoder(config, dtype, Math.Max(rows, PrefillRows), maxLength, cacheBytes, threads);
        _sequences = [.. Enumerable.Range(0, rows).Select(_ => new List<int>())];
        _inputs = new DecoderRow[_decoder.MostRows];
        _logits = NativeBuffer.Floats((long)rows * _decoder.LogitsStride);
        _rooms = [.. Enumerable.Range(0, threads).Select(_ => NativeBuffer.Floats(_decoder.LogitsStride))];
        _draws = new RowInput[rows];
        _drawn = new DrawnToken[rows];
    }

    public int Rows => _sequences.Length;

    public void Load(IReadOnlyDictionary<string, Tensor> weights, string source) => _decoder.Load(weights, source);

    public bool TryEnter(ReadOnlySpan<int> tokens, int row, int copies, int running)
    {
        // Each newcomer soon writes to a block of its own; the last to do so keeps the one that is shared and not full. Each who runs may need one too.
        PagedCache cache = _decoder.Cache;
        int own = tokens.Length % PagedCache.Positions == 0 ? copies : copies - 1;
        if (PagedCache.BlocksOf(tokens.Length) + own + running > cache.FreeBlocks)
        {
            return false;
        }

        List<int> first = _sequences[row];
        for (int start = 0; start < tokens.Length; start += _decoder.MostRows)
        {
            int count = Math.Min(_decoder.MostRows, tokens.Length - start);
            for (int i = 0; i < count; i++)
            {
                Require(cache.TryReserve(first, start + i));
                _inputs[i] = new DecoderRow(tokens[start + i], start + i, first);
            }

            _decoder.Forward(_inputs, count);
        }

        for (int copy = 1; copy < copies; copy++)
        {
            cache.Share(first, _sequences[row + copy]);
        }

        return true;
    }

    public bool TryReserve(int row, int position) => _decoder.Cache.TryReserve(_sequences[row], position);

    public void Decode(ReadOnlySpan<RowInput> inputs, Span<DrawnToken> drawn)
    {
        for (int row = 0; row < inputs.Length; row++)
        {
            _inputs[row] = new DecoderRow(inputs[row].Token, inputs[row].Position, _sequences[row]);
        }

        _decoder.Forward(_inputs, inputs.Length);
        _decoder.Logits(_logits.Singles);
        inputs.CopyTo(_draws);
        _decoder.Crew.Run(inputs.Length, Draw);
        _drawn.AsSpan(0, inputs.Length).CopyTo(drawn);
    }

    public void Leave(int row) => _decoder.Cache.Release(_sequences[row]);

    public void Move(int from, int to, int length) => (_sequences[to], _sequences[from]) = (_sequences[from], _sequences[to]);

    /// <summary>Nothing that a freed block holds is ever read: attention ends at a sequence's own length.</summary>
    public void Clear()
    {
        foreach (List<int> sequence in _sequences)
        {
            _decoder.Cache.Release(sequence);
        }
    }

    public void Dispose()
    {
        _decoder.Dispose();
        _logits.Dispose();
        Array.ForEach(_rooms, room => room.Dispose());
    }

    private void Draw(int row, int thread) => _drawn[row] = RowSampler.Draw(
        new ReadOnlySpan<float>(_logits.Singles + (long)row * _decoder.LogitsStride, _vocabulary),
        new Span<float>(_rooms[thread].Singles, _vocabulary),
        _draws[row]);

    private static void Require(bool reserved)
    {
        if (!reserved)
        {
            throw new InvalidOperationException("The cache ran out of blocks that were counted as free.");
        }
    }
}
