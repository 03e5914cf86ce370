using System.Collections.Immutable;
using Ghpo.Policy;

namespace Ghpo.Rollout;

/// <summary>
/// Samples groups together, one token of every running sequence a step. Not thread-safe: one owner thread calls everything.
/// A group's result depends on its request and the weights alone, never on what else is in the batch or on timing.
/// </summary>
public interface IGenerationEngine : IDisposable
{
    /// <summary>Sequences that can still be admitted.</summary>
    int FreeSlots { get; }

    /// <summary>Sequences being decoded.</summary>
    int RunningSequences { get; }

    /// <summary>Of these, those for which there was no memory at the last step.</summary>
    int StarvedSequences => 0;

    /// <summary>Tokens sampled since the engine was made.</summary>
    long TokensSampled { get; }

    /// <summary>The answers of groups that are not finished, as far as they are. Read only; an engine that cannot tell has none.</summary>
    IReadOnlyList<AnswerProgress> Progress => [];

    /// <summary>Copies the weights in. Legal only while nothing is running.</summary>
    void LoadPolicy(PolicySnapshot policy);

    /// <summary>
    /// Copies weights in while sequences are being decoded, which go on under them. Whatever was computed of them under the old weights is computed anew, so each further
    /// token is one of the new policy after the whole answer so far, with that policy's log-probability; the answer says where (<see cref="Completion.Switches"/>).
    /// </summary>
    void SwitchPolicy(PolicySnapshot policy) => throw new NotSupportedException($"{GetType().Name} cannot switch policies within an answer.");

    /// <summary>Admits a group: prefills its prompt once for all its answers. Needs as many free slots as it has answers.</summary>
    void Submit(GenerationRequest request);

    /// <summary>Drops a request, as if it had never been submitted; one that is not running changes nothing.</summary>
    void Withdraw(object tag);

    /// <summary>Decodes one token of every running sequence and returns the requests that this finished.</summary>
    /// <exception cref="NonFiniteLogitsException">The model produced NaN or infinite logits; names the request. Every running sequence is dropped.</exception>
    IReadOnlyList<GenerationResult> Step();
}

/// <summary>A prompt and how to sample its answers.</summary>
/// <param name="Tag">Handed back with the result.</param>
/// <param name="Seed">With the answer's index and the token's position the only source of randomness.</param>
public sealed record GenerationRequest(object Tag, ImmutableArray<int> Prompt, int Answers, ulong Seed, SamplingOptions Sampling)
{
    /// <summary>Called with answer and token when a token has been sampled, on the owner's thread; null: not.</summary>
    public Action<int, int>? OnToken { get; init; }
}

/// <param name="Temperature">0 takes the most likely token each time.</param>
/// <param name="TopK">0: all tokens.</param>
/// <param name="TopP">1: all tokens.</param>
public sealed record SamplingOptions(double Temperature, int TopK, double TopP, int MaxNewTokens);

/// <summary>An answer of a group that is being sampled.</summary>
/// <param name="Tag">Of its request.</param>
/// <param name="Tokens">Sampled so far.</param>
/// <param name="Finished">It waits for the other answers of its group.</param>
public sealed record AnswerProgress(object Tag, int Answer, ImmutableArray<int> Tokens, bool Finished);

/// <summary>The answers, in the order of their index.</summary>
public sealed record GenerationResult(object Tag, ImmutableArray<Completion> Completions);

/// <summary>The model's logits are NaN or infinite: the weights have diverged, or the numeric type is too narrow.</summary>
public sealed class NonFiniteLogitsException(string message) : Exception(message);
