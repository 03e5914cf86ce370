using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Problems;

namespace Ghpo.Node.Pretraining;

/// <summary>
/// What the base model is taught: to solve short problems, and to go on where a hint stops. In nine of ten sequences 1 to 3 operations are to be carried out, in
/// the others 4 or 5. The hint is a part of the solution of any length in characters, cut within a line as readily as at its end, and the
/// completion is the rest. So the model knows long contexts and knows what a hint is, solves 1 to 3 operations, has seen a few with 4 or 5, and has
/// never begun a longer problem. Held-out problems are never drawn.
/// </summary>
internal sealed class PretrainingSequences(ITokenizer tokenizer, ulong seed)
{
    /// <summary>The most operations that a completion carries out.</summary>
    public const int MaxOperationsLeft = 5;

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
        int left = OperationsLeft();
        int operations = hinted ? Math.Max(2, left) + _random.Below(MaxOperations + 1 - Math.Max(2, left)) : left;
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

    /// <summary>1 to 3 with equal chance in nine cases of ten; else 4 (twice as often) or 5.</summary>
    private int OperationsLeft() => _random.Below(30) switch
    {
        0 => 5,
        1 or 2 => 4,
        int other => 1 + (other % 3),
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
