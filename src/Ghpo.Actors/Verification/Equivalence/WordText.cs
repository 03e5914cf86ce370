using System.Text;

namespace Ghpo.Verification.Equivalence;

/// <summary>Answers in words.</summary>
internal static class WordText
{
    private static readonly string[] TextCommands = [@"\textbf", @"\textit", @"\textrm", @"\textnormal", @"\text", @"\mbox", @"\mathrm", @"\mathbf", @"\left", @"\right"];

    /// <summary>The same words, "no solutions" and "no solution" among them.</summary>
    public static bool Equal(string a, string b)
    {
        (string x, string y) = (Normalize(a), Normalize(b));
        if (Parsing.AnswerText.DateOf(a) is string date && Parsing.AnswerText.DateOf(b) is string other)
        {
            return date == other;
        }

        (string one, string several) = x.Length < y.Length ? (x, y) : (y, x);
        return x == y || (one.Length > 5 && one.StartsWith("no", StringComparison.Ordinal) && one[^1] != 's' && several == one + "s");
    }

    /// <summary>Says that nothing solves it, which is what the empty set says.</summary>
    public static bool IsNoSolution(string text) => text.Length < 60 && Normalize(text) is "nosolution" or "nosolutions" or "norealsolution" or "norealsolutions" or "therearenosolutions" or "thereisnosolution";

    /// <summary>YES, BAC: three capital letters or more as a whole answer are a word or an order, not a product.</summary>
    public static bool IsAcronym(string text) => text.Length is > 2 and < 30 && text.All(char.IsAsciiLetterUpper);

    /// <summary>Two words or more, none a single letter, one of four letters or more: a name or a sentence, even where "new" could be read as a product.</summary>
    public static bool IsPhrase(string text)
    {
        if (!text.Contains(' ', StringComparison.Ordinal) || text.Any(char.IsAsciiDigit))
        {
            return false;
        }

        string[] words = text.Replace(@"\text{", " ", StringComparison.Ordinal).Split([' ', '{', '}', '~', '$', ',', '.'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 1 && words.All(word => word.Length > 1 && word.All(char.IsAsciiLetter)) && words.Any(word => word.Length > 3);
    }

    /// <summary>Without case, spaces, marks of type and final punctuation.</summary>
    public static string Normalize(string text)
    {
        string plain = Strip(text);
        return plain.ToLowerInvariant().TrimEnd('.', ',', ';', ':', '!', '?');
    }

    /// <summary>Without spaces and LaTeX's marks for text. What could not be read as mathematics is compared like this, case and all.</summary>
    public static string Strip(string text)
    {
        foreach (string command in TextCommands)
        {
            text = text.Replace(command, "", StringComparison.Ordinal);
        }

        foreach ((string other, string name) in (ReadOnlySpan<(string, string)>)[(@"\dfrac", @"\frac"), (@"\tfrac", @"\frac"), (@"\geq", @"\ge"), (@"\leq", @"\le"), (@"\neq", @"\ne")])
        {
            text = text.Replace(other, name, StringComparison.Ordinal);
        }

        var plain = new StringBuilder();
        foreach (char raw in text)
        {
            char c = Parsing.UnicodeMathematics.Plain(raw);
            if (!char.IsWhiteSpace(c) && !Parsing.UnicodeMathematics.IsInvisible(raw) && c is not ('$' or '{' or '}' or '~' or '*' or '"' or '`'))
            {
                plain.Append(c);
            }
        }

        return plain.ToString().TrimEnd('.', ',', ';', '\\');
    }

    /// <summary>The letter of a choice that stands alone: B, (B), B., \text{B}; null otherwise.</summary>
    public static char? ChoiceLetter(string text)
    {
        string bare = Strip(text);
        bare = bare.StartsWith("option", StringComparison.OrdinalIgnoreCase) || bare.StartsWith("choice", StringComparison.OrdinalIgnoreCase) ? bare[6..] : bare;
        bare = bare.Trim('(', ')', '[', ']', '.', ':');
        return bare.Length == 1 && char.IsAsciiLetterUpper(bare[0]) ? bare[0] : null;
    }

    /// <summary>The letter that an answer begins with as a label: (B) 12, B. 12, B) 12, B: 12; null if it has none.</summary>
    public static char? ChoiceLabel(string text)
    {
        string plain = text.Trim(' ', '$', '*', '{', '\n');
        foreach (string command in TextCommands)
        {
            if (plain.StartsWith(command + "{", StringComparison.Ordinal))
            {
                plain = plain[(command.Length + 1)..].TrimStart();
            }
        }

        bool open = plain.StartsWith('(');
        plain = open ? plain[1..] : plain;
        if (plain.Length < 2 || !char.IsAsciiLetterUpper(plain[0]))
        {
            return null;
        }

        string rest = plain[1..].TrimStart('}');
        return rest.Length > 0 && ((open && rest[0] == ')') || (!open && rest[0] is ')' or '.' or ':')) && (rest.Length == 1 || !char.IsAsciiLetterOrDigit(rest[1]))
            && (rest.Length < 2 || rest[1] is ' ' or '}' or '\\' or '~' or '\n' or '$') && !NamesAnother(rest) ? plain[0] : null;
    }

    /// <summary>Another label behind the first: (A) or (B). Such an answer chooses nothing.</summary>
    private static bool NamesAnother(string rest)
    {
        rest += " ";
        for (int i = 1; i + 1 < rest.Length; i++)
        {
            bool alone = char.IsAsciiLetterUpper(rest[i]) && !char.IsAsciiLetterOrDigit(rest[i + 1]) && !char.IsAsciiLetterOrDigit(rest[i - 1]);
            if (alone && ((rest[i - 1] == '(' && rest[i + 1] == ')') || rest.AsSpan(0, i).TrimEnd(" ({\n").EndsWithWord("or") || rest.AsSpan(0, i).TrimEnd(" ({\n").EndsWithWord("and")))
            {
                return true;
            }
        }

        return false;
    }

    private static bool EndsWithWord(this ReadOnlySpan<char> text, string word) =>
        text.EndsWith(word, StringComparison.OrdinalIgnoreCase) && (text.Length == word.Length || !char.IsAsciiLetter(text[^(word.Length + 1)]));
}
