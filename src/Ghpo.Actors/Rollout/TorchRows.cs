using System.Runtime.InteropServices;
using Ghpo.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Rollout;

/// <summary>
/// Rows computed by torch, on any device: a dense cache of rows × longest sequence.
/// <para>
/// On the CPU with one intra-op thread and float32, a row's results are the same bits in any company. What this takes was measured with libtorch 2.10 on a
/// Zen 4 processor, and the tests measure it again on theirs: a prompt is prefilled alone, so its shape is its own; at least <see cref="FewestRows"/> rows are
/// decoded, because a matrix product of 1 to 3 rows is computed in another order than the same rows among more; cached lengths are padded to a multiple of
/// <see cref="CachedDecoder.LengthUnit"/> with masked positions, which add exact zeros, while a ragged length changes the order of sums; with
/// two threads attention splits its work by the batch. Normalisation, softmax, cumulative sums and SiLU work row by row.
/// </para>
/// </summary>
internal sealed class TorchRows : IRowDecoder
{
    /// <summary>Rows decoded at least; those without a sequence repeat token 0 at position 0.</summary>
    private const int FewestRows = 4;

    private readonly Device _device;
    private readonly CachedDecoder _decoder;
    private readonly int _vocabulary;
    private readonly int _capacity;

    /// <summary>int64 <c>[2, rows]</c> on the host: next input token, its position.</summary>
    private readonly Tensor _inputs;

    /// <summary>float64 <c>[5, rows]</c> on the host: see <see cref="DrawRow"/>.</summary>
    private readonly Tensor _draws;

    internal TorchRows(ModelConfig config, Device device, ScalarType dtype, int rows, int maxLength)
    {
        _device = device;
        _vocabulary = config.VocabularySize;
        Rows = rows;
        _capacity = Math.Max(rows, FewestRows);
        _decoder = new CachedDecoder(config, device, dtype, _capacity, maxLength);
        _inputs = zeros([2, _capacity], ScalarType.Int64, CPU).DetachFromDisposeScope();
        _draws = zeros([Enum.GetValues<DrawRow>().Length, _capacity], ScalarType.Float64, CPU).DetachFromDisposeScope();
    }

    public int Rows { get; }

    public void Load(IReadOnlyDictionary<string, Tensor> weights, string source) => _decoder.Load(weights, source);

    public bool TryEnter(ReadOnlySpan<int> tokens, int row, int copies, int running)
    {
        if (tokens.Length > 0)
        {
            using IDisposable mode = inference_mode(true);
            using DisposeScope scope = NewDisposeScope();
            long[] prefilled = [.. tokens];
            _decoder.Prefill(tensor(prefilled).to(_device), row, copies);
        }

        return true;
    }

    public bool TryReserve(int row, int position) => true;

    public void Decode(ReadOnlySpan<RowInput> inputs, Span<DrawnToken> drawn)
    {
        using IDisposable mode = inference_mode(true);
        using DisposeScope scope = NewDisposeScope();
        int batch = Math.Max(inputs.Length, FewestRows);
        Span<long> tokens = Values<long>(_inputs)[.._capacity];
        Span<long> positions = Values<long>(_inputs)[_capacity..];
        Span<double> draws = Values<double>(_draws);
        var unused = new RowInput(Token: 0, Position: 0, Uniform: 0.5, Temperature: 1, _vocabulary, TopP: 1);
        bool greedy = false;
        bool restricted = false;
        int longest = 0;
        for (int row = 0; row < batch; row++)
        {
            RowInput input = row < inputs.Length ? inputs[row] : unused;
            tokens[row] = input.Token;
            positions[row] = input.Position;
            longest = Math.Max(longest, input.Position);
            bool most = input.Temperature == 0;
            draws[Place(DrawRow.Uniform, row)] = input.Uniform;
            draws[Place(DrawRow.Temperature, row)] = most ? 1 : input.Temperature;
            draws[Place(DrawRow.Greedy, row)] = most ? 1 : 0;
            draws[Place(DrawRow.TopK, row)] = input.TopK;
            draws[Place(DrawRow.TopP, row)] = input.TopP;
            greedy |= most;
            restricted |= input.TopK < _vocabulary || input.TopP < 1;
        }

        Tensor fed = _inputs.narrow(1, 0, batch).to(_device);
        Tensor logits = _decoder.Decode(fed.select(0, 0), fed.select(0, 1), longest);
        ReadOnlySpan<double> sampled = Values<double>(TokenSampler.Sample(logits, _draws.narrow(1, 0, batch).to(_device), greedy, restricted).cpu());
        for (int row = 0; row < inputs.Length; row++)
        {
            double logProb = sampled[batch + row];
            drawn[row] = new DrawnToken((int)sampled[row], (float)logProb, double.IsFinite(logProb) && double.IsFinite(sampled[2 * batch + row]));
        }
    }

    public void Leave(int row)
    {
    }

    public void Move(int from, int to, int length) => _decoder.CopyRow(from, to, length);

    public void Clear() => _decoder.Clear();

    public void Dispose()
    {
        _decoder.Dispose();
        _inputs.Dispose();
        _draws.Dispose();
    }

    private int Place(DrawRow kind, int row) => (int)kind * _capacity + row;

    private static Span<T> Values<T>(Tensor tensor)
        where T : struct => MemoryMarshal.Cast<byte, T>(tensor.bytes);
}
