using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Expressions;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Extraction;

/// <summary>The answer within the sentence that a marker introduces.</summary>
internal static class Sentences
{
    private static readonly string[] Negations = ["not ", "n't ", "never ", "neither ", "unknown", "wrong", "incorrect"];
    private static readonly string[] Reasons = [", as ", ", so ", ", which ", ", where ", " which "];
    private static readonly string[] Asides =
    [
        "is ", "are ", "option ", "choice ", "simply ", "just ", "therefore ", "thus ", "hence ", "then ", "indeed ", "clearly ", "obviously ", "certainly ", "definitely ", "exactly ", "precisely ", "given by ", "equal to ",
    ];

    private static readonly string[] Verbs = [" is ", " are ", " equals ", " be ", " = ", " has ", " have "];
    private static readonly string[] Copulas = [" is ", " are ", " equals ", " be ", " = ", " to ", " of ", " as "];
    private static readonly string[] Hedges = [" not ", "n't ", " between ", " greater ", " less ", " more ", " at least", " at most", " than ", " cannot ", " maybe ", " perhaps ", " possibly ", " about ", " approximately ", " roughly ", " wrong", " incorrect"];

    /// <returns>Null if the sentence states no answer.</returns>
    public static string? Answer(string sentence, bool strict)
    {
        string clean = AnswerText.Clean(sentence);
        while (clean.EndsWith(@"\""", StringComparison.Ordinal) || clean.EndsWith('"'))
        {
            clean = AnswerText.Clean(clean.TrimEnd('"').TrimEnd('\\'));
        }

        // The answer's end of **Answer: 12**.
        string marks = clean.EndsWith("**", StringComparison.Ordinal) ? "**" : clean.EndsWith("__", StringComparison.Ordinal) ? "__" : clean.EndsWith('*') ? "*" : "";
        if (marks.Length > 0 && clean.IndexOf(marks, StringComparison.Ordinal) == clean.Length - marks.Length)
        {
            clean = AnswerText.Clean(clean[..^marks.Length]);
        }

        foreach (string word in Asides)
        {
            clean = clean.StartsWith(word, StringComparison.OrdinalIgnoreCase) ? clean[word.Length..].TrimStart() : clean;
        }

        if (clean.Length == 0 || Array.Exists(Negations, negation => clean.StartsWith(negation, StringComparison.OrdinalIgnoreCase)))
        {
            return null;
        }

        if (clean.Length > 1_000)
        {
            clean = clean[..1_000];
        }

        if (Reasoned(clean) is string stated)
        {
            return stated;
        }

        if (ExpressionParser.Parse(clean) is Expr || WordText.ChoiceLabel(clean) is not null || AnswerText.IsDate(clean))
        {
            return clean;
        }

        // What follows gives the reason, not the answer.
        foreach (string reason in Reasons)
        {
            int cut = clean.IndexOf(reason, StringComparison.OrdinalIgnoreCase);
            if (cut > 0 && AnswerText.Clean(clean[..cut]) is { Length: > 0 } statement && ExpressionParser.Parse(statement) is Expr and not Words)
            {
                return statement;
            }
        }

        // A formula at the beginning, with whatever words behind it.
        if (Formulas.EndAt(clean, 0) is int end and > 0)
        {
            return ExpressionParser.Parse(AnswerText.Clean(clean)) is not null ? clean : clean[..end];
        }

        bool hedged = Array.Exists(Hedges, hedge => (" " + clean + " ").Contains(hedge, StringComparison.OrdinalIgnoreCase));
        string? last = Formulas.Last(clean, FormulaKinds.Both);
        if (last is null || last == clean)
        {
            return AnswerText.IsProse(clean) ? clean : last;
        }

        if (!strict)
        {
            return last;
        }

        if (hedged)
        {
            return null;
        }

        int at = clean.LastIndexOf(last, StringComparison.Ordinal);
        string before = " " + clean[..at].TrimEnd() + " ";
        string after = clean[(at + last.Length)..].Trim(' ', '.', '*', '"', '\\');
        bool leads = at == 0;
        bool ends = after.Length == 0 && Array.Exists(Copulas, copula => before.EndsWith(copula, StringComparison.OrdinalIgnoreCase));
        return leads || ends || (IsThing(after) && before.Split(' ').Length < 10 && Array.Exists(Verbs, verb => before.EndsWith(verb, StringComparison.OrdinalIgnoreCase))) ? last : null;
    }

    /// <summary>apples left: a few plain words behind a number, which say of what it is the number.</summary>
    private static bool IsThing(string after) =>
        after.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 and < 5 } words && words.All(word => word.Length > 1 && word.All(char.IsAsciiLetterLower) && !Vocabulary.IsQualifier(word));

    /// <summary>What stands before "because" and "since", if it is a value or one word.</summary>
    private static string? Reasoned(string clean)
    {
        foreach (string reason in (ReadOnlySpan<string>)[" because ", " since ", " (because ", " (since ", " (as "])
        {
            int cut = clean.IndexOf(reason, StringComparison.OrdinalIgnoreCase);
            if (cut > 0 && AnswerText.Clean(clean[..cut]) is { Length: > 0 } statement && (ExpressionParser.Parse(statement) is Expr and not Words || statement.All(char.IsAsciiLetter)))
            {
                return statement;
            }
        }

        return null;
    }
}
