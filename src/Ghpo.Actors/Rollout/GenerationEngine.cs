using System.Runtime.InteropServices;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Policy;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Rollout;

/// <summary>
/// Continuous batching over a fixed number of slots. A slot is a row of the KV cache; running sequences fill rows 0 to R − 1.
/// <code>
/// Submit   prompt without its last token → cache of G new rows; that token becomes each row's next input
/// Step     next inputs [B] → logits [B, V] → one drawn token a row, which is stored and becomes the next input
///          a row that stopped leaves at once: row R − 1 moves into its place
///          a request whose G rows have all left is returned
/// </code>
/// The sampled tokens come to the host once a step, where stop tokens are looked for, and go back with the next positions and draws.
/// <para>
/// On the CPU with one intra-op thread and float32, a request's tokens and log-probabilities are the same bits alone or in company, whatever
/// the neighbours, the order and the time of admission. What this takes was measured with libtorch 2.10 on a Zen 4 processor, and the tests
/// measure it again on theirs:
/// a prompt is prefilled alone, so its shape is its own; at least <see cref="FewestRows"/> rows are decoded, because a matrix product of 1 to 3
/// rows is computed in another order than the same rows among more; cached lengths are padded to a multiple of
/// <see cref="CachedDecoder.LengthUnit"/> with masked positions, which add exact zeros, while a ragged length changes the order of sums; with
/// two threads attention splits its work by the batch. Normalisation, softmax, cumulative sums and SiLU work row by row.
/// </para>
/// </summary>
public sealed class GenerationEngine : IGenerationEngine
{
    /// <summary>Rows decoded at least; those without a sequence repeat token 0 at position 0.</summary>
    public const int FewestRows = 4;

    private readonly ModelConfig _config;
    private readonly Device _device;
    private readonly HashSet<int> _stopTokens;
    private readonly int _maxLength;
    private readonly CachedDecoder _decoder;
    private readonly RunningSequence[] _rows;

    /// <summary>int64 <c>[2, rows]</c> on the host: next input token, its position.</summary>
    private readonly Tensor _inputs;

    /// <summary>float64 <c>[5, rows]</c> on the host: see <see cref="DrawRow"/>.</summary>
    private readonly Tensor _draws;
    private readonly int _capacity;
    private bool _loaded;
    private long _submitted;

    /// <param name="stopTokens">Tokens that end an answer.</param>
    /// <param name="slots">Sequences decoded together.</param>
    /// <param name="maxLength">Longest prompt and completion together, in tokens.</param>
    /// <exception cref="UserErrorException">The model has not so many positions.</exception>
    public GenerationEngine(ModelConfig config, Device device, ScalarType dtype, IReadOnlyList<int> stopTokens, int slots, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        RequirePositions(config, maxLength);
        _config = config;
        _device = device;
        _stopTokens = [.. stopTokens];
        _maxLength = maxLength;
        _rows = new RunningSequence[slots];
        _capacity = Math.Max(slots, FewestRows);
        _decoder = new CachedDecoder(config, device, dtype, _capacity, maxLength);
        _inputs = zeros([2, _capacity], ScalarType.Int64, CPU).DetachFromDisposeScope();
        _draws = zeros([Enum.GetValues<DrawRow>().Length, _capacity], ScalarType.Float64, CPU).DetachFromDisposeScope();
    }

    /// <exception cref="UserErrorException">The model has fewer than <paramref name="maxLength"/> positions.</exception>
    public static void RequirePositions(ModelConfig config, int maxLength)
    {
        if (maxLength > config.MaxPositions)
        {
            throw new UserErrorException(
                $"Prompt and completion together may take {maxLength} tokens, but the model's max_position_embeddings is {config.MaxPositions}; lower prompt.max-tokens or rollout.max-new-tokens.");
        }
    }

    public int FreeSlots => _rows.Length - RunningSequences;

    public int RunningSequences { get; private set; }

    public long TokensSampled { get; private set; }

    public IReadOnlyList<AnswerProgress> Progress
    {
        get
        {
            RunningSequence[] running = _rows[..RunningSequences];
            return [.. running.Select(row => row.Progress), .. running.Select(row => row.Group).Distinct().SelectMany(group => group.Finished)];
        }
    }

    public void LoadPolicy(PolicySnapshot policy)
    {
        if (RunningSequences > 0)
        {
            throw new InvalidOperationException($"Policy {policy.Version} cannot be loaded while {RunningSequences} sequences are being decoded under another.");
        }

        _decoder.Load(policy.Weights, $"Policy {policy.Version}");
        _loaded = true;
    }

    public void Submit(GenerationRequest request)
    {
        Check(request);
        int first = RunningSequences;
        if (request.Prompt.Length > 1)
        {
            using IDisposable mode = inference_mode(true);
            using DisposeScope scope = NewDisposeScope();
            long[] prefilled = [.. request.Prompt.AsSpan()[..^1]];
            _decoder.Prefill(tensor(prefilled).to(_device), first, request.Answers);
        }

        var group = new RunningGroup(request, _submitted++);
        for (int answer = 0; answer < request.Answers; answer++)
        {
            _rows[first + answer] = new RunningSequence(group, answer);
        }

        RunningSequences += request.Answers;
    }

    public IReadOnlyList<GenerationResult> Step()
    {
        if (RunningSequences == 0)
        {
            return [];
        }

        using IDisposable mode = inference_mode(true);
        using DisposeScope scope = NewDisposeScope();
        Tensor drawn = Decode(Math.Max(RunningSequences, FewestRows));
        ReadOnlySpan<double> values = Values<double>(drawn);
        int batch = (int)drawn.shape[1];
        RequireFinite(values[batch..(2 * batch)], values[(2 * batch)..]);
        TokensSampled += RunningSequences;
        List<RunningGroup> finished = [];

        // From the last row down: the row that moves into a gap has had its turn.
        for (int row = RunningSequences - 1; row >= 0; row--)
        {
            RunningSequence sequence = _rows[row];
            int token = (int)values[row];
            sequence.Append(token, (float)values[batch + row]);
            FinishReason? reason = _stopTokens.Contains(token) ? FinishReason.Stopped : sequence.IsFull ? FinishReason.Length : null;
            if (reason is not null)
            {
                Leave(row);
                if (sequence.Group.Complete(sequence, reason.Value))
                {
                    finished.Add(sequence.Group);
                }
            }
        }

        return [.. finished.OrderBy(group => group.Order).Select(group => group.Result())];
    }

    public void Dispose()
    {
        _decoder.Dispose();
        _inputs.Dispose();
        _draws.Dispose();
    }

    /// <returns>What <see cref="TokenSampler"/> drew, on the host.</returns>
    private Tensor Decode(int batch)
    {
        Span<long> tokens = Values<long>(_inputs)[.._capacity];
        Span<long> positions = Values<long>(_inputs)[_capacity..];
        Span<double> draws = Values<double>(_draws);
        bool greedy = false;
        bool restricted = false;
        int longest = 0;
        for (int row = 0; row < batch; row++)
        {
            RunningSequence? sequence = row < RunningSequences ? _rows[row] : null;
            SamplingOptions? options = sequence?.Group.Request.Sampling;
            tokens[row] = sequence?.NextInput ?? 0;
            positions[row] = sequence?.NextPosition ?? 0;
            longest = Math.Max(longest, (int)positions[row]);
            bool most = options is { Temperature: 0 };
            int topK = options is { TopK: > 0 } ? Math.Min(options.TopK, _config.VocabularySize) : _config.VocabularySize;
            double topP = options?.TopP ?? 1;
            Draw(draws, DrawRow.Uniform, row) = sequence?.NextUniform ?? 0.5;
            Draw(draws, DrawRow.Temperature, row) = most ? 1 : options?.Temperature ?? 1;
            Draw(draws, DrawRow.Greedy, row) = most ? 1 : 0;
            Draw(draws, DrawRow.TopK, row) = topK;
            Draw(draws, DrawRow.TopP, row) = topP;
            greedy |= most;
            restricted |= topK < _config.VocabularySize || topP < 1;
        }

        Tensor inputs = _inputs.narrow(1, 0, batch).to(_device);
        Tensor logits = _decoder.Decode(inputs.select(0, 0), inputs.select(0, 1), longest);
        return TokenSampler.Sample(logits, _draws.narrow(1, 0, batch).to(_device), greedy, restricted).cpu();
    }

    private ref double Draw(Span<double> draws, DrawRow kind, int row) => ref draws[(int)kind * _capacity + row];

    /// <summary>NaN in the cache would outlive its sequence, so the cache is cleared and nothing runs on.</summary>
    private void RequireFinite(ReadOnlySpan<double> logProbs, ReadOnlySpan<double> logitSums)
    {
        for (int row = 0; row < RunningSequences; row++)
        {
            if (!double.IsFinite(logProbs[row]) || !double.IsFinite(logitSums[row]))
            {
                RunningSequence sequence = _rows[row];
                string message =
                    $"Logits for {sequence.Group.Request.Tag}, answer {sequence.Answer}, token {sequence.Length} are NaN or infinite: the weights have diverged, or the numeric type is too narrow. Lower learning.rate or set model.dtype = float32. All {RunningSequences} running sequences were dropped.";
                Array.Clear(_rows);
                RunningSequences = 0;
                _decoder.Clear();
                throw new NonFiniteLogitsException(message);
            }
        }
    }

    /// <summary>Closes the gap that a finished sequence leaves with the last running one.</summary>
    private void Leave(int row)
    {
        int last = --RunningSequences;
        if (row != last)
        {
            _rows[row] = _rows[last];
            _decoder.CopyRow(last, row, _rows[row].NextPosition);
        }

        _rows[last] = null!;
    }

    private void Check(GenerationRequest request)
    {
        if (!_loaded)
        {
            throw new InvalidOperationException("No policy is loaded.");
        }

        if (request.Answers < 1 || request.Answers > FreeSlots)
        {
            throw new ArgumentException($"{request.Tag} asks for {request.Answers} answers; {FreeSlots} of {_rows.Length} slots are free.", nameof(request));
        }

        if (request.Prompt.IsDefaultOrEmpty)
        {
            throw new ArgumentException($"{request.Tag} has an empty prompt.", nameof(request));
        }

        foreach (int token in request.Prompt)
        {
            if ((uint)token >= (uint)_config.VocabularySize)
            {
                throw new ArgumentException($"{request.Tag}: prompt token {token} is outside the vocabulary of {_config.VocabularySize}.", nameof(request));
            }
        }

        SamplingOptions sampling = request.Sampling;
        if (sampling.MaxNewTokens < 1 || sampling.MaxNewTokens > _maxLength - request.Prompt.Length)
        {
            throw new ArgumentException(
                $"{request.Tag}: a prompt of {request.Prompt.Length} tokens and {sampling.MaxNewTokens} new tokens do not fit the {_maxLength} positions of the engine.", nameof(request));
        }

        if (!(sampling.Temperature >= 0 && double.IsFinite(sampling.Temperature)) || sampling.TopK < 0 || !(sampling.TopP is > 0 and <= 1))
        {
            throw new ArgumentException($"{request.Tag}: {sampling} is out of range: temperature ≥ 0, top-k ≥ 0, 0 < top-p ≤ 1.", nameof(request));
        }
    }

    private static Span<T> Values<T>(Tensor tensor)
        where T : struct => MemoryMarshal.Cast<byte, T>(tensor.bytes);
}
