using Ghpo.Verification.Expressions;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Extraction;

/// <summary>The notations in which an answer without marker is looked for.</summary>
[Flags]
public enum FormulaKinds
{
    /// <summary>Formulas between LaTeX's delimiters.</summary>
    Latex = 1,

    /// <summary>Numbers and expressions in plain text.</summary>
    Plain = 2,
    Both = Latex | Plain,
}

/// <summary>Formulas between delimiters and numbers in plain text.</summary>
internal static class Formulas
{
    /// <summary>Longer environments are no answer, in characters.</summary>
    private const int MaxEnvironment = 4_000;

    private static readonly (string Open, string Close)[] Delimiters = [("$$", "$$"), (@"\[", @"\]"), (@"\(", @"\)"), ("$", "$")];

    /// <summary>The text itself, if it is an expression as a whole.</summary>
    public static string? Whole(string text, FormulaKinds kinds)
    {
        string clean = AnswerText.Clean(text);
        if (clean.Length is 0 or > 2_000 || (kinds == FormulaKinds.Latex && !clean.Contains('$') && EnvironmentEnd(clean, 0) == 0 && !clean.Contains(@"\(", StringComparison.Ordinal) && !clean.Contains(@"\[", StringComparison.Ordinal)))
        {
            return null;
        }

        return !BeginsInProse(clean) && ExpressionParser.Parse(clean) is Expr and not Words ? clean : null;
    }

    /// <summary>so $x^2$: letters before a formula are words, not factors.</summary>
    private static bool BeginsInProse(string text) =>
        text.IndexOf('$', StringComparison.Ordinal) is int formula and > 1 && text.AsSpan(0, formula).TrimEnd() is [.., var before, >= 'a' and <= 'z'] && char.IsAsciiLetter(before);

    /// <summary>The last formula with its neighbours, or the last number, whichever stands further behind; else a short text of words itself.</summary>
    public static string? Last(string text, FormulaKinds kinds)
    {
        List<(int Start, int End)> formulas = Find(text);
        (int Start, int End)? number = (kinds & FormulaKinds.Plain) != 0 ? LastNumber(text, kinds == FormulaKinds.Plain ? [] : formulas) : null;
        if ((kinds & FormulaKinds.Latex) != 0 && formulas.Count > 0 && (number is null || formulas[^1].Start > number.Value.Start))
        {
            int first = formulas.Count - 1;
            while (first > 0 && IsConnective(text.AsSpan(formulas[first - 1].End, formulas[first].Start - formulas[first - 1].End)))
            {
                first--;
            }

            return text[formulas[first].Start..formulas[^1].End];
        }

        return number is (int start, int end) ? text[start..end]
            : (kinds & FormulaKinds.Plain) != 0 && text.Length < 200 && AnswerText.IsProse(text) ? text : null;
    }

    /// <summary>End of the formula that begins at an index; 0 if none does, or it is not closed.</summary>
    public static int EndAt(string text, int at)
    {
        if (EnvironmentEnd(text, at) is int environment and > 0)
        {
            return environment;
        }

        foreach ((string open, string close) in Delimiters)
        {
            if (at < text.Length && text.AsSpan(at).StartsWith(open))
            {
                int end = text.IndexOf(close, at + open.Length, StringComparison.Ordinal);
                return end < 0 ? 0 : end + close.Length;
            }
        }

        return 0;
    }

    /// <summary>End of \begin{align*}…\end{align*} and the like; 0 if none begins at the index, or it is not closed.</summary>
    private static int EnvironmentEnd(string text, int at)
    {
        const string Begin = @"\begin{";
        if (at >= text.Length || text[at] != '\\' || !text.AsSpan(at).StartsWith(Begin))
        {
            return 0;
        }

        int close = text.IndexOf('}', at, Math.Min(text.Length - at, 24));
        if (close < 0 || !Vocabulary.IsDisplay(text[(at + Begin.Length)..close]))
        {
            return 0;
        }

        string end = @"\end{" + text[(at + Begin.Length)..(close + 1)];
        int from = text.IndexOf(end, close, Math.Min(text.Length - close, MaxEnvironment), StringComparison.Ordinal);
        return from < 0 ? 0 : from + end.Length;
    }

    private static List<(int Start, int End)> Find(string text)
    {
        var formulas = new List<(int, int)>();

        // A closing delimiter that is missing once is missing for good: without remembering it the search would be quadratic.
        bool dollarsClose = true;
        bool bracketsClose = true;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is '$' or '\\')
            {
                i++;
            }
            else if (text[i] is '$' or '\\' && (text[i] == '$' ? dollarsClose : bracketsClose) && Opens(text, i))
            {
                int end = EndAt(text, i);
                if (end > 0)
                {
                    formulas.Add((i, end));
                    i = end - 1;
                }
                else
                {
                    dollarsClose &= text[i] != '$';
                    bracketsClose &= text[i] == '$';
                }
            }
        }

        return formulas;
    }

    private static bool Opens(string text, int at) => Array.Exists(Delimiters, delimiter => text.AsSpan(at).StartsWith(delimiter.Open)) || EnvironmentEnd(text, at) > 0;

    /// <summary>Between formulas of one list: spaces, punctuation, and, or.</summary>
    private static bool IsConnective(ReadOnlySpan<char> gap)
    {
        if (gap.Length > 20)
        {
            return false;
        }

        ReadOnlySpan<char> words = gap.Trim(" ,;\n\t");
        return (words.Length == 0 && gap.IndexOfAny(',', ';') >= 0) || words.Equals("and", StringComparison.OrdinalIgnoreCase) || words.Equals("or", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>e-5 behind a digit: the digits from the index are the exponent of ten.</summary>
    private static bool IsExponent(string text, int start)
    {
        int e = start - (text[start - 1] is '+' or '-' ? 2 : 1);
        return e > 0 && text[e] is 'e' or 'E' && char.IsAsciiDigit(text[e - 1]);
    }

    /// <summary>The last number outside of formulas, with its sign, separators, fraction, percent and currency sign.</summary>
    private static (int Start, int End)? LastNumber(string text, List<(int Start, int End)> formulas)
    {
        int formula = formulas.Count - 1;
        for (int i = text.Length - 1; i >= 0; i--)
        {
            while (formula >= 0 && i < formulas[formula].Start)
            {
                formula--;
            }

            if (formula >= 0 && i < formulas[formula].End)
            {
                i = formulas[formula].Start;
                continue;
            }

            if (!char.IsAsciiDigit(text[i]))
            {
                continue;
            }

            int start = i;
            while (start > 0 && (char.IsAsciiDigit(text[start - 1]) || (text[start - 1] is '.' or ',' or '/' && start > 1 && char.IsAsciiDigit(text[start - 2]))
                || (text[start - 1] == '.' && (start == 1 || char.IsWhiteSpace(text[start - 2]))) || IsExponent(text, start)))
            {
                start -= IsExponent(text, start) && text[start - 1] is '+' or '-' ? 2 : 1;
            }

            if (start > 0 && (char.IsLetter(text[start - 1]) || text[start - 1] is '_' or '^'))
            {
                // A digit within a word or an index.
                i = start;
                continue;
            }

            start -= start > 0 && text[start - 1] is '$' or '€' or '£' ? 1 : 0;
            start -= start > 0 && text[start - 1] is '-' or '−' && (start == 1 || !char.IsLetterOrDigit(text[start - 2])) ? 1 : 0;
            int end = i + 1;
            end += end < text.Length && text[end] == '%' ? 1 : 0;
            return (start, end);
        }

        return null;
    }
}
