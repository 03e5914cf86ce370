using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Ghpo.Policy;

namespace Ghpo.Rollout;

/// <summary>
/// Asks an engine, on the machine at hand, for what a deterministic run rests on: a group's tokens and log-probabilities are the same bits alone and in
/// company. libtorch chooses its kernels by processor, so that what holds on one machine need not hold on another.
/// </summary>
public static class EngineSelfTest
{
    private const int Tokens = 12;

    /// <summary>Lengths on both sides of the units that caches are padded to.</summary>
    private static readonly int[] PromptLengths = [9, 30, 17, 3];

    /// <summary>Groups that are decoded together.</summary>
    public static int Groups => PromptLengths.Length;

    /// <summary>Positions that the test needs of a model.</summary>
    public const int MaxLength = 48;

    /// <param name="engine">Free, with room for <paramref name="answers"/> times as many sequences as there are groups in the test; used, and left free.</param>
    /// <param name="policy">The weights to test with.</param>
    /// <param name="vocabulary">Token ids below this are used in prompts.</param>
    /// <param name="answers">G, answers a group.</param>
    /// <returns>What differs, null where nothing does; and the SHA-256, in lower-case hex, of all tokens and the bits of their log-probabilities.</returns>
    public static (string? Fault, string Digest) Run(IGenerationEngine engine, PolicySnapshot policy, int vocabulary, int answers)
    {
        engine.LoadPolicy(policy);
        GenerationRequest[] requests = [.. PromptLengths.Select((length, index) => new GenerationRequest(
            index,
            [.. Enumerable.Range(0, length).Select(position => ((index + 3) * (position + 1) * 31) % vocabulary)],
            answers,
            (ulong)index,
            new SamplingOptions(Temperature: 1, TopK: 0, TopP: 1, Tokens)))];
        Dictionary<object, ImmutableArray<Completion>> company = Sample(engine, requests);
        string digest = DigestOf(requests.SelectMany(request => company[request.Tag]));
        foreach (GenerationRequest request in requests)
        {
            ImmutableArray<Completion> alone = Sample(engine, [request])[request.Tag];
            for (int answer = 0; answer < answers; answer++)
            {
                if (Difference(alone[answer], company[request.Tag][answer]) is { } difference)
                {
                    return ($"a prompt of {request.Prompt.Length} tokens gets other answers alone than in company: {difference}", digest);
                }
            }
        }

        return (null, digest);
    }

    /// <summary>Each answer as its length (i32), its tokens (i32) and its log-probabilities (f32), little endian.</summary>
    private static string DigestOf(IEnumerable<Completion> answers)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> word = stackalloc byte[sizeof(int)];
        foreach (int number in answers.SelectMany(answer => answer.Tokens.Prepend(answer.Tokens.Length).Concat(answer.LogProbs.Select(BitConverter.SingleToInt32Bits))))
        {
            BinaryPrimitives.WriteInt32LittleEndian(word, number);
            hash.AppendData(word);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string? Difference(Completion alone, Completion company)
    {
        for (int position = 0; position < Math.Min(alone.Tokens.Length, company.Tokens.Length); position++)
        {
            if (alone.Tokens[position] != company.Tokens[position])
            {
                return $"token {position} is {alone.Tokens[position]} and {company.Tokens[position]}";
            }

            if (BitConverter.SingleToUInt32Bits(alone.LogProbs[position]) != BitConverter.SingleToUInt32Bits(company.LogProbs[position]))
            {
                return FormattableString.Invariant(
                    $"the log-probability of token {position} is {alone.LogProbs[position]:G9} and {company.LogProbs[position]:G9}");
            }
        }

        return alone.Tokens.Length == company.Tokens.Length ? null : $"{alone.Tokens.Length} and {company.Tokens.Length} tokens";
    }

    private static Dictionary<object, ImmutableArray<Completion>> Sample(IGenerationEngine engine, IEnumerable<GenerationRequest> requests)
    {
        foreach (GenerationRequest request in requests)
        {
            engine.Submit(request);
        }

        var results = new Dictionary<object, ImmutableArray<Completion>>();
        while (engine.RunningSequences > 0)
        {
            foreach (GenerationResult result in engine.Step())
            {
                results.Add(result.Tag, result.Completions);
            }
        }

        return results;
    }
}
