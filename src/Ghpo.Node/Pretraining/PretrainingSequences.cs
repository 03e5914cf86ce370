using System.Numerics;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Problems;

namespace Ghpo.Node.Pretraining;

/// <summary>
/// What the base model is taught: to solve problems, and to go on where a hint stops. A hint is a part of the correct solution of any length in characters, cut
/// within a line as readily as at its end, and the completion is the rest. In the completion a multiplication is carried out only with probability
/// <paramref name="skill"/>, and else taken for an addition: so the model writes every line in form, is sure of + and −, knows what a hint is, and gets
/// m multiplications right with probability skillᵐ, whatever stands before them. Held-out problems are never drawn.
/// </summary>
/// <param name="maxOperations">The most operations of a problem.</param>
/// <param name="skill">Probability in [0, 1] that a multiplication is carried out as one.</param>
internal sealed class PretrainingSequences(ITokenizer tokenizer, int maxOperations, double skill, ulong seed)
{
    private const int ProbabilityUnits = 1000;

    private readonly int _end = tokenizer.SpecialToken(CompactTokens.End)
        ?? throw new ArgumentException($"The vocabulary has no {CompactTokens.End}.", nameof(tokenizer));

    private SplitMix64 _random = new(seed);

    /// <summary>A problem without a hint; k operations with probability 2⁻ᵏ, the most taking what remains.</summary>
    public TokenSequence NextShort() => Sequence(Math.Min(maxOperations, 1 + BitOperations.TrailingZeroCount(_random.Next())), hinted: false);

    /// <summary>A problem of any length, each equally likely.</summary>
    /// <param name="hintedShare">Probability that it carries a hint.</param>
    public TokenSequence Next(double hintedShare)
    {
        bool hinted = Happens(hintedShare);
        return Sequence(1 + _random.Below(maxOperations), hinted);
    }

    private TokenSequence Sequence(int operations, bool hinted)
    {
        Problem problem = ArithmeticProblems.Draw(ref _random, operations, DataSplit.Train);
        string hint = hinted ? problem.Solution![..(1 + _random.Below(StartOfLine(problem.Solution!, operations) - 1))] : "";
        int done = hint.Count(c => c == '=');
        if (hint.EndsWith('='))
        {
            done--;
        }

        // Results are one digit each, so the hint is as long in the solution with mistakes as in the correct one.
        string solution = ArithmeticProblems.Solve(problem.Text, (operation, left, sign, right) => ArithmeticProblems.CarryOut(
            left, sign == '*' && operation >= done && !Happens(skill) ? '+' : sign, right)).Solution;
        IReadOnlyList<int> prompt = PromptTemplate.Compact.Render(tokenizer, system: "", problem.Text, introduction: "", hint);
        return new TokenSequence([.. prompt], [.. tokenizer.EncodeText(solution[hint.Length..]), _end]);
    }

    private bool Happens(double probability) => _random.Below(ProbabilityUnits) < probability * ProbabilityUnits;

    /// <summary>Index of the first character of a line, counted from 0.</summary>
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
