using System.Collections.Immutable;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>A completion behind its prompt.</summary>
public readonly record struct TokenSequence(ImmutableArray<int> Prompt, ImmutableArray<int> Completion)
{
    public int Length => Prompt.Length + Completion.Length;
}

/// <summary>
/// Sequences as tensors: [B, T] token ids, right-padded with 0 (attention is causal, so padding reaches no token that counts), and the N
/// completion tokens of all rows, flat, row by row. The hidden state that predicts the token at position p of row b is b · T + p − 1 of the
/// flattened [B · T, d]. The tensors belong to the dispose scope at hand.
/// </summary>
/// <param name="Ids">int64 [B, T].</param>
/// <param name="Predictors">int64 [N]: index into [B · T] of the state that predicts each completion token.</param>
/// <param name="Targets">int64 [N]: the completion tokens.</param>
public sealed record TokenBatch(Tensor Ids, Tensor Predictors, Tensor Targets)
{
    /// <exception cref="ArgumentException">A prompt is empty: nothing would predict its completion's first token.</exception>
    public static TokenBatch Of(IReadOnlyList<TokenSequence> sequences, Device device)
    {
        int longest = sequences.Max(sequence => sequence.Length);
        var ids = new long[sequences.Count * longest];
        var predictors = new long[sequences.Sum(sequence => sequence.Completion.Length)];
        var targets = new long[predictors.Length];
        int n = 0;
        for (int b = 0; b < sequences.Count; b++)
        {
            (ImmutableArray<int> prompt, ImmutableArray<int> completion) = (sequences[b].Prompt, sequences[b].Completion);
            if (prompt.IsEmpty)
            {
                throw new ArgumentException($"Sequence {b} has an empty prompt.", nameof(sequences));
            }

            int position = b * longest;
            foreach (int token in prompt)
            {
                ids[position++] = token;
            }

            foreach (int token in completion)
            {
                ids[position] = token;
                predictors[n] = position++ - 1;
                targets[n++] = token;
            }
        }

        return new TokenBatch(
            tensor(ids, [sequences.Count, longest], device: device), tensor(predictors, device: device), tensor(targets, device: device));
    }
}
