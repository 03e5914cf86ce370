using Ghpo.Hints;
using Ghpo.Models;

namespace Ghpo.Problems;

/// <summary>
/// The leading share ω of a worked solution. With length L in the chosen unit the hint has k = round(L·ω) units, halves rounded to the even
/// neighbour as in the paper's code. The result is always a prefix of the solution and never ends within a surrogate pair.
/// </summary>
public static class HintCut
{
    /// <param name="ratio">ω in [0, 1].</param>
    /// <param name="unit">
    /// Characters: Unicode code points. Tokens: as many of the tokenizer's, no character cut. Steps: lines that are not blank, or sentences
    /// where there is one such line only; at least one of them for ω > 0.
    /// </param>
    /// <param name="tokenizer">Used for tokens only.</param>
    public static string Take(string solution, double ratio, HintUnit unit, ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(solution);
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (!(ratio is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "A hint ratio is a number from 0 to 1.");
        }

        if (ratio == 0 || solution.Length == 0)
        {
            return "";
        }

        return unit switch
        {
            HintUnit.Characters => Prefix(solution, Round(CodePoints(solution), ratio)),
            HintUnit.Tokens => Tokens(solution, ratio, tokenizer),
            HintUnit.Steps => Steps(solution, ratio),
            _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, "Unknown hint unit."),
        };
    }

    /// <summary>Number of code points; a surrogate without its partner counts as one.</summary>
    internal static int CodePoints(string text)
    {
        int count = 0;
        for (int i = 0; i < text.Length; i += StepAt(text, i))
        {
            count++;
        }

        return count;
    }

    /// <summary>The first <paramref name="count"/> code points.</summary>
    internal static string Prefix(string text, int count)
    {
        int end = 0;
        for (; count > 0 && end < text.Length; count--)
        {
            end += StepAt(text, end);
        }

        return text[..end];
    }

    private static int StepAt(string text, int index) =>
        char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]) ? 2 : 1;

    private static int Round(int length, double ratio) => (int)Math.Round(length * ratio, MidpointRounding.ToEven);

    /// <summary>
    /// The longest prefix, in code points, that <paramref name="fits"/>. It is searched by halving, so fits should not turn true again further
    /// on; where it does, the result still fits but may be shorter than it could be. The empty prefix is taken to fit.
    /// </summary>
    internal static string LongestPrefix(string text, Predicate<string> fits)
    {
        int fitting = 0;
        for (int tooLong = CodePoints(text) + 1; tooLong - fitting > 1;)
        {
            int middle = fitting + ((tooLong - fitting) / 2);
            if (fits(Prefix(text, middle)))
            {
                fitting = middle;
            }
            else
            {
                tooLong = middle;
            }
        }

        return Prefix(text, fitting);
    }

    // Decoding the first k tokens would not do: they may end within a character, and some tokenizers rewrite what they read.
    private static string Tokens(string solution, double ratio, ITokenizer tokenizer)
    {
        int most = Round(tokenizer.EncodeText(solution).Count, ratio);
        return LongestPrefix(solution, prefix => tokenizer.EncodeText(prefix).Count <= most);
    }

    private static string Steps(string solution, double ratio)
    {
        List<int> ends = LineEnds(solution);
        if (ends.Count <= 1)
        {
            ends = SentenceEnds(solution);
        }

        return ends.Count == 0 ? "" : solution[..ends[Math.Max(1, Round(ends.Count, ratio)) - 1]];
    }

    /// <summary>Where each line that is not blank ends, its line break included.</summary>
    private static List<int> LineEnds(string text)
    {
        var ends = new List<int>();
        for (int start = 0; start < text.Length;)
        {
            int newLine = text.IndexOf('\n', start);
            int end = newLine < 0 ? text.Length : newLine + 1;
            if (!text.AsSpan(start, end - start).IsWhiteSpace())
            {
                ends.Add(end);
            }

            start = end;
        }

        return ends;
    }

    /// <summary>Where each sentence ends: after a full stop, question or exclamation mark that white space or the end follows.</summary>
    private static List<int> SentenceEnds(string text)
    {
        var ends = new List<int>();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is '.' or '?' or '!' && i + 1 < text.Length && char.IsWhiteSpace(text[i + 1]))
            {
                ends.Add(i + 1);
            }
        }

        if (!text.AsSpan(ends.Count == 0 ? 0 : ends[^1]).IsWhiteSpace())
        {
            ends.Add(text.Length);
        }

        return ends;
    }
}
