using System.Numerics;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Problems;

namespace Ghpo.Node.Pretraining;

/// <summary>
/// What the base model is taught: to solve problems, and to go on where a hint stops. Work is the rarer the longer it is: k operations are to be carried out
/// in 2⁻ᵏ of the sequences. With a hint, they are the last k of a problem that may be longer; the hint is a part of the solution of any length in
/// characters, cut within a line as readily as at its end, and the completion is the rest. So the model knows long contexts, knows what a hint is, does short
/// work well, and has never begun a problem of more than eight operations. Held-out problems are never drawn.
/// </summary>
/// <param name="maxOperations">The most operations of a hinted problem, at least <see cref="MaxOperationsLeft"/>.</param>
internal sealed class PretrainingSequences(ITokenizer tokenizer, int maxOperations, ulong seed)
{
    /// <summary>The most operations that a completion carries out.</summary>
    public const int MaxOperationsLeft = 8;

    private const int HintedShareUnits = 1000;

    private readonly int _end = tokenizer.SpecialToken(CompactTokens.End)
        ?? throw new ArgumentException($"The vocabulary has no {CompactTokens.End}.", nameof(tokenizer));

    private SplitMix64 _random = new(seed);

    /// <summary>The next sequence of the endless stream that the seed begins.</summary>
    /// <param name="hintedShare">Probability that it carries a hint.</param>
    public TokenSequence Next(double hintedShare)
    {
        bool hinted = _random.Below(HintedShareUnits) < hintedShare * HintedShareUnits;
        int left = OperationsLeft();
        int operations = hinted ? Math.Max(2, left) + _random.Below(maxOperations + 1 - Math.Max(2, left)) : left;
        Problem problem = ArithmeticProblems.Draw(ref _random, operations, DataSplit.Train);
        string solution = problem.Solution!;
        int cut = 0;
        if (hinted)
        {
            // Anywhere in the line after which that many operations are left, or in the line that carries the first of them out.
            int from = Math.Max(1, StartOfLine(solution, operations - left));
            cut = from + _random.Below(StartOfLine(solution, operations - left + 1) - from);
        }

        IReadOnlyList<int> prompt = PromptTemplate.Compact.Render(tokenizer, system: "", problem.Text, introduction: "", hint: solution[..cut]);
        return new TokenSequence([.. prompt], [.. tokenizer.EncodeText(solution[cut..]), _end]);
    }

    /// <summary>k operations with probability 2⁻ᵏ, the last one taking what remains.</summary>
    private int OperationsLeft() => Math.Min(MaxOperationsLeft, 1 + BitOperations.TrailingZeroCount(_random.Next()));

    /// <summary>Index of the first character of a line, counted from 0; 0 for negative lines.</summary>
    private static int StartOfLine(string text, int line)
    {
        int start = 0;
        for (; line > 0; line--)
        {
            start = text.IndexOf('\n', start) + 1;
        }

        return start;
    }
}
