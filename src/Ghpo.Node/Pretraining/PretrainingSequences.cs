using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Problems;

namespace Ghpo.Node.Pretraining;

/// <summary>
/// What the base model is taught: to solve problems of at most 3 operations, and to go on where a hint stops, with at most 3 operations left to do.
/// The hint is a part of the solution of any length in characters, cut within a line as readily as at its end, and the completion is the rest.
/// So the model knows long contexts and knows what a hint is, and still solves no long problem by itself. Held-out problems are never drawn.
/// </summary>
internal sealed class PretrainingSequences(ITokenizer tokenizer, ulong seed)
{
    /// <summary>The most operations that a completion carries out.</summary>
    public const int MaxOperationsLeft = 3;

    /// <summary>The most operations of a hinted problem.</summary>
    public const int MaxOperations = 8;

    private const int HintedShareUnits = 1000;

    private readonly int _end = tokenizer.SpecialToken(CompactTokens.End)
        ?? throw new ArgumentException($"The vocabulary has no {CompactTokens.End}.", nameof(tokenizer));

    private SplitMix64 _random = new(seed);

    /// <summary>The next sequence of the endless stream that the seed begins.</summary>
    /// <param name="hintedShare">Probability that it carries a hint.</param>
    public TokenSequence Next(double hintedShare)
    {
        bool hinted = _random.Below(HintedShareUnits) < hintedShare * HintedShareUnits;
        int operations = hinted ? 2 + _random.Below(MaxOperations - 1) : 1 + _random.Below(MaxOperationsLeft);
        Problem problem = ArithmeticProblems.Draw(ref _random, operations, DataSplit.Train);
        string solution = problem.Solution!;
        int cut = 0;
        if (hinted)
        {
            int shortest = Math.Max(1, StartOfLine(solution, operations - OperationsLeft()));
            cut = shortest + _random.Below(solution.Length - shortest);
        }

        IReadOnlyList<int> prompt = PromptTemplate.Compact.Render(tokenizer, system: "", problem.Text, introduction: "", hint: solution[..cut]);
        return new TokenSequence([.. prompt], [.. tokenizer.EncodeText(solution[cut..]), _end]);
    }

    /// <summary>The most operations that a hint leaves: 3, one time in five 4, one time in twenty 5.</summary>
    private int OperationsLeft() => _random.Below(20) switch
    {
        0 => MaxOperationsLeft + 2,
        < 5 => MaxOperationsLeft + 1,
        _ => MaxOperationsLeft,
    };

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
