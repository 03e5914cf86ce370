using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Models.Simd;
using Ghpo.Policy;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Rollout;

/// <summary>
/// Continuous batching inside a memory budget. Running sequences fill rows 0 to R − 1 of an <see cref="IRowDecoder"/>; others wait for a row and memory.
/// <code>
/// Submit   G sequences wait, in the order of submission
/// Step     who waits enters if there is room: a prompt without its last token is computed once for all answers that enter with it
///          who runs reserves room for one more position; where there is none, the youngest leaves its memory and waits again
///          next inputs [R] → logits [R, V] → one drawn token a row, which becomes the next input
///          a row that stopped leaves at once: row R − 1 moves into its place
///          a request whose G sequences have all finished is returned
/// </code>
/// One that had to wait again computes its prompt and its own tokens anew when it enters: the same numbers, because a row's numbers do not depend on its company.
/// <para>
/// A request's tokens and log-probabilities are the same bits alone or in company, whatever the neighbours, the order and the time of admission: on a
/// CPU with AVX-512 by construction (<see cref="SimdRows"/>), with torch on one thread in float32 (<see cref="TorchRows"/>). <see cref="EngineSelfTest"/> asks
/// the machine at hand.
/// </para>
/// </summary>
public sealed class GenerationEngine : IGenerationEngine
{
    private readonly ModelConfig _config;
    private readonly HashSet<int> _stopTokens;
    private readonly int _slots;
    private readonly int _maxLength;
    private readonly IRowDecoder _decoder;
    private readonly RunningSequence[] _rows;
    private readonly RowInput[] _inputs;
    private readonly DrawnToken[] _drawn;

    /// <summary>Without rows, in the order in which they were submitted.</summary>
    private readonly LinkedList<RunningSequence> _waiting = new();
    private int _running;
    private bool _loaded;
    private long _submitted;

    /// <summary>An engine for the device: <see cref="SimdRows"/> where the CPU has AVX-512, else <see cref="TorchRows"/>. It uses as many threads as torch does on this thread.</summary>
    /// <param name="stopTokens">Tokens that end an answer.</param>
    /// <param name="slots">Sequences submitted and not yet finished.</param>
    /// <param name="maxLength">Longest prompt and completion together, in tokens.</param>
    /// <param name="cacheBytes">What cached keys and values may take; sequences beyond that wait.</param>
    /// <exception cref="UserErrorException">The model has not so many positions, the budget does not hold one sequence, or the processor cannot compute the type.</exception>
    public GenerationEngine(
        ModelConfig config, Device device, ScalarType dtype, IReadOnlyList<int> stopTokens, int slots, int maxLength, long cacheBytes = DefaultCacheBytes)
        : this(config, stopTokens, slots, maxLength, CreateDecoder(config, device, dtype, slots, maxLength, cacheBytes))
    {
    }

    internal GenerationEngine(ModelConfig config, IReadOnlyList<int> stopTokens, int slots, int maxLength, IRowDecoder decoder)
    {
        _config = config;
        _stopTokens = [.. stopTokens];
        _slots = slots;
        _maxLength = maxLength;
        _decoder = decoder;
        _rows = new RunningSequence[decoder.Rows];
        _inputs = new RowInput[decoder.Rows];
        _drawn = new DrawnToken[decoder.Rows];
    }

    /// <summary>2 GiB.</summary>
    public const long DefaultCacheBytes = 2L << 30;

    /// <exception cref="UserErrorException">The model has fewer than <paramref name="maxLength"/> positions.</exception>
    public static void RequirePositions(ModelConfig config, int maxLength)
    {
        if (maxLength > config.MaxPositions)
        {
            throw new UserErrorException(
                $"Prompt and completion together may take {maxLength} tokens, but the model's max_position_embeddings is {config.MaxPositions}; lower prompt.max-tokens or rollout.max-new-tokens.");
        }
    }

    public int FreeSlots => _slots - RunningSequences;

    public int RunningSequences => _running + _waiting.Count;

    public int StarvedSequences { get; private set; }

    public long TokensSampled { get; private set; }

    public IReadOnlyList<AnswerProgress> Progress
    {
        get
        {
            RunningSequence[] running = [.. _rows.Take(_running), .. _waiting];
            return [.. running.Select(row => row.Progress), .. running.Select(row => row.Group).Distinct().SelectMany(group => group.Finished)];
        }
    }

    public void LoadPolicy(PolicySnapshot policy)
    {
        if (RunningSequences > 0)
        {
            throw new InvalidOperationException($"Policy {policy.Version} cannot be loaded while {RunningSequences} sequences are being decoded under another.");
        }

        LoadWeights(policy);
    }

    private void LoadWeights(PolicySnapshot policy)
    {
        _decoder.Load(policy.Weights, $"Policy {policy.Version}");
        _loaded = true;
    }

    public void SwitchPolicy(PolicySnapshot policy)
    {
        // Who runs gives up its row and waits again, before all who wait already: whoever enters is computed from its first token on.
        RunningSequence[] running = [.. _rows.Take(_running).OrderByDescending(sequence => (sequence.Group.Order, sequence.Answer))];
        while (_running > 0)
        {
            Leave(_running - 1);
        }

        foreach (RunningSequence sequence in running)
        {
            _waiting.AddFirst(sequence);
        }

        foreach (RunningSequence sequence in _waiting)
        {
            sequence.Switch(policy.Version);
        }

        LoadWeights(policy);
    }

    public void Submit(GenerationRequest request)
    {
        Check(request);
        var group = new RunningGroup(request, _submitted++);
        for (int answer = 0; answer < request.Answers; answer++)
        {
            _waiting.AddLast(new RunningSequence(group, answer));
        }
    }

    public void Withdraw(object tag)
    {
        for (int row = _running - 1; row >= 0; row--)
        {
            if (_rows[row].Group.Request.Tag.Equals(tag))
            {
                Leave(row);
            }
        }

        foreach (RunningSequence sequence in _waiting.Where(sequence => sequence.Group.Request.Tag.Equals(tag)).ToArray())
        {
            _waiting.Remove(sequence);
        }

        // Those that wait since the last step have not been short of anything yet.
        StarvedSequences = Math.Min(StarvedSequences, _waiting.Count);
    }

    public IReadOnlyList<GenerationResult> Step()
    {
        while (EnterNext())
        {
        }

        MakeRoom();
        StarvedSequences = _waiting.Count;
        if (_running == 0)
        {
            return [];
        }

        for (int row = 0; row < _running; row++)
        {
            _inputs[row] = InputOf(_rows[row]);
        }

        _decoder.Decode(_inputs.AsSpan(0, _running), _drawn);
        RequireFinite();
        TokensSampled += _running;
        List<RunningGroup> finished = [];

        // From the last row down: the row that moves into a gap has had its turn.
        for (int row = _running - 1; row >= 0; row--)
        {
            RunningSequence sequence = _rows[row];
            int token = _drawn[row].Token;
            sequence.Append(token, _drawn[row].LogProb);
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

    public void Dispose() => _decoder.Dispose();

    /// <summary>Lets those enter who have waited longest: the answers of a group that have no token yet together, others alone.</summary>
    /// <returns>False: nobody waits, or there is no room.</returns>
    private bool EnterNext()
    {
        if (_waiting.First is not { } first)
        {
            return false;
        }

        int copies = 1;
        for (LinkedListNode<RunningSequence>? next = first.Next; first.Value.Length == 0 && next?.Value.Group == first.Value.Group && next.Value.Length == 0; next = next.Next)
        {
            copies++;
        }

        // A group enters whole, unless it has the decoder for itself.
        int free = _rows.Length - _running;
        if (free < copies && _running > 0)
        {
            return false;
        }

        copies = Math.Min(copies, free);
        int[] cached = first.Value.Cached();
        while (!_decoder.TryEnter(cached, _running, copies, _running))
        {
            if (_running > 0)
            {
                return false;
            }

            copies = copies > 1 ? copies / 2 : throw new InvalidOperationException($"{first.Value.Group.Request.Tag} does not fit an empty cache.");
        }

        for (; copies > 0; copies--)
        {
            _rows[_running++] = _waiting.First!.Value;
            _waiting.RemoveFirst();
        }

        return true;
    }

    /// <summary>Reserves every row's next position. Where memory ends, the youngest sequences leave theirs and wait again, before all who wait already.</summary>
    private void MakeRoom()
    {
        for (int row = 0; row < _running; row++)
        {
            while (!_decoder.TryReserve(row, _rows[row].NextPosition))
            {
                int youngest = Enumerable.Range(0, _running).MaxBy(other => (_rows[other].Group.Order, _rows[other].Answer));
                _waiting.AddFirst(_rows[youngest]);
                Leave(youngest);
                if (youngest == row)
                {
                    // Another sequence stands in this row now, or none.
                    row--;
                    break;
                }

                if (youngest < row)
                {
                    // The last row has moved to where a reservation was made; it makes its own.
                    row = youngest - 1;
                    break;
                }
            }
        }
    }

    private RowInput InputOf(RunningSequence sequence)
    {
        SamplingOptions options = sequence.Group.Request.Sampling;
        int topK = options.TopK > 0 ? Math.Min(options.TopK, _config.VocabularySize) : _config.VocabularySize;
        return new RowInput(sequence.NextInput, sequence.NextPosition, sequence.NextUniform, options.Temperature, topK, options.TopP);
    }

    /// <summary>NaN in the cache would outlive its sequence, so the cache is cleared and nothing runs on.</summary>
    private void RequireFinite()
    {
        for (int row = 0; row < _running; row++)
        {
            if (!_drawn[row].IsFinite)
            {
                RunningSequence sequence = _rows[row];
                string message =
                    $"Logits for {sequence.Group.Request.Tag}, answer {sequence.Answer}, token {sequence.Length} are NaN or infinite: the weights have diverged, or the numeric type is too narrow. Lower learning.rate or set model.dtype = float32. All {RunningSequences} running sequences were dropped.";
                Array.Clear(_rows);
                _running = 0;
                _waiting.Clear();
                _decoder.Clear();
                throw new NonFiniteLogitsException(message);
            }
        }
    }

    /// <summary>Frees a row and closes the gap with the last running one.</summary>
    private void Leave(int row)
    {
        _decoder.Leave(row);
        int last = --_running;
        if (row != last)
        {
            _rows[row] = _rows[last];
            _decoder.Move(last, row, _rows[row].NextPosition);
        }

        _rows[last] = null!;
    }

    private static IRowDecoder CreateDecoder(ModelConfig config, Device device, ScalarType dtype, int slots, int maxLength, long cacheBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        RequirePositions(config, maxLength);
        bool simd = device.type == DeviceType.CPU && SimdDecoder.IsSupported;
        RequireType(device, dtype, simd);
        long longest = PagedCache.BytesOf(config, dtype == ScalarType.BFloat16, maxLength);
        if (longest > cacheBytes)
        {
            throw new UserErrorException(
                $"Keys and values of one sequence of {maxLength} tokens take {longest:N0} bytes, but rollout.cache-bytes is {cacheBytes:N0}; raise it, or lower prompt.max-tokens or rollout.max-new-tokens.");
        }

        return simd
            ? new SimdRows(config, dtype, slots, maxLength, cacheBytes, get_num_threads())
            : new TorchRows(config, device, dtype, (int)Math.Min(slots, cacheBytes / longest), maxLength);
    }

    /// <param name="simd">Whether the engine's own kernels run.</param>
    /// <exception cref="UserErrorException">The processor cannot compute the type at a useful speed.</exception>
    internal static void RequireType(Device device, ScalarType dtype, bool simd)
    {
        if (device.type == DeviceType.CPU && dtype == ScalarType.BFloat16 && !simd)
        {
            throw new UserErrorException("model.dtype = bfloat16 needs a processor with AVX-512, or a GPU; this one would be slower with it than with float32. Set model.dtype = float32.");
        }
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
}
