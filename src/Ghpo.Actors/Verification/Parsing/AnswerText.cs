using System.Collections.Frozen;
using System.Globalization;

namespace Ghpo.Verification.Parsing;

/// <summary>The text of an answer before it is read.</summary>
internal static class AnswerText
{
    /// <summary>Takes off white space, marks of type, and the punctuation of the sentence that the answer stood in.</summary>
    public static string Clean(string text)
    {
        int start = 0;
        int end = text.Length;
        while (true)
        {
            int before = end - start;
            while (start < end && (char.IsWhiteSpace(text[start]) || UnicodeMathematics.IsInvisible(text[start]) || text[start] is '`' or '=' or ':'))
            {
                start++;
            }

            start += LeadIn(text.AsSpan(start, end - start));
            while (start < end && (char.IsWhiteSpace(text[end - 1]) || UnicodeMathematics.IsInvisible(text[end - 1]) || text[end - 1] is '`' or ',' or ';' or ':' || IsFullStop(text, start, end) || text[end - 1] == '\\' || IsPicture(text, end)))
            {
                end -= IsPicture(text, end) ? 2 : 1;
            }

            if (end - start > 4 && text[start] == '*' && text[start + 1] == '*' && text[end - 1] == '*' && text[end - 2] == '*')
            {
                start += 2;
                end -= 2;
            }
            else if (end - start > 2 && text[start] is '"' or '*' or '_' or '\'' or '‘' or '“' && Closes(text[start], text[end - 1]) && text.IndexOf(text[start], start + 1, end - start - 2) < 0)
            {
                start++;
                end--;
            }

            (start, end) = Peel(text, start, end);
            if (end - start == before)
            {
                return text[start..end];
            }
        }
    }

    /// <summary>Marks of type in HTML.</summary>
    private static readonly FrozenSet<string> MarkUp = new[] { "b", "strong", "i", "em", "u", "p", "span", "code" }.ToFrozenSet(StringComparer.Ordinal);

    private static bool Closes(char open, char close) => close == open || (open, close) is ('‘', '’') or ('“', '”');

    /// <summary>Delimiters or a box around the whole.</summary>
    private static (int Start, int End) Peel(string text, int start, int end)
    {
        ReadOnlySpan<char> span = text.AsSpan(start, end - start);
        if (span.Length > 2 && span[0] == '$' && span[^1] == '$' && span[^2] != '\\' && !span[1..^1].Contains('$'))
        {
            return (start + 1, end - 1);
        }

        if (span.Length > 4 && span.StartsWith("$$") && span.EndsWith("$$") && !span[2..^2].Contains('$'))
        {
            return (start + 2, end - 2);
        }

        if (span.Length > 4 && span[0] == '\\' && span[^2] == '\\' && (span[1], span[^1]) is ('(', ')') or ('[', ']') && span[1..].IndexOf(span[..2]) < 0)
        {
            return (start + 2, end - 2);
        }

        if (span.Length > 6 && span[0] == '<' && span[^1] == '>' && span.IndexOf('>') is int tag and > 1 and < 8 && MarkUp.Contains(span[1..tag].ToString())
            && span[^(tag + 2)..].StartsWith("</") && span[^tag..^1].SequenceEqual(span[1..tag]))
        {
            return (start + tag + 1, end - tag - 2);
        }

        int open = span.StartsWith(@"\boxed{") ? 7 : span.StartsWith(@"\fbox{") ? 6 : -1;
        return open > 0 && ClosingBrace(span, open - 1) == span.Length - 1 ? (start + open, end - 1) : (start, end);
    }

    /// <summary>Index of the brace that closes the one at an index, −1 if there is none.</summary>
    private static int ClosingBrace(ReadOnlySpan<char> text, int open)
    {
        int depth = 0;
        for (int i = open; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\':
                    i++;
                    break;
                case '{':
                    depth++;
                    break;
                case '}' when --depth == 0:
                    return i;
            }
        }

        return -1;
    }

    /// <summary>Words, with at most punctuation between them: nothing in it asks to be read as mathematics.</summary>
    public static bool IsProse(string text)
    {
        int letters = 0;
        foreach (char c in text)
        {
            if (c is '\\' or '^' or '_' or '=' or '<' or '>' or '+' or '*' or '|' or '{' or '}' or '[' or ']' or '@' || char.IsDigit(c))
            {
                return false;
            }

            letters += char.IsLetter(c) ? 1 : 0;
        }

        return letters > 1;
    }

    /// <summary>A word and numbers with nothing but spaces and commas between them: June 20, January 1, 2020; a weekday may stand with it.</summary>
    public static bool IsDate(string text)
    {
        string[] parts = text.Split([' ', ',', '.'], StringSplitOptions.RemoveEmptyEntries);
        return parts.Length is > 1 and < 6 && (parts.Count(part => part.Length > 2 && part.All(char.IsAsciiLetter)) == 1 || parts.Any(IsMonth))
            && parts.All(part => part.All(char.IsAsciiLetter) || part.TrimEnd('s', 't', 'n', 'd', 'r', 'h').All(char.IsAsciiDigit)) && parts.Any(part => char.IsAsciiDigit(part[0]));
    }

    /// <summary>The parts of a date in one order, without ordinal endings: "3rd of May" is "May 3". Null if the text names no month.</summary>
    public static string? DateOf(string text)
    {
        if (text.Length > 60 || !IsDate(text))
        {
            return null;
        }

        string[] parts = [.. text.ToLowerInvariant().Split([' ', ',', '.'], StringSplitOptions.RemoveEmptyEntries).Where(part => part is not ("of" or "the" or "on"))
            .Select(part => char.IsAsciiDigit(part[0]) ? part.TrimEnd('s', 't', 'n', 'd', 'r', 'h').TrimStart('0') : IsMonth(part) ? part[..3] : part).Order(StringComparer.Ordinal)];
        return parts.Count(IsMonth) == 1 ? string.Join(' ', parts) : null;
    }

    private static bool IsMonth(string word) => Array.Exists(Months, month => month.Equals(word, StringComparison.OrdinalIgnoreCase) || (word.Length == 3 && month.StartsWith(word, StringComparison.OrdinalIgnoreCase)));

    private static readonly string[] Months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    /// <summary>"Answer:" and the like in front of an answer.</summary>
    private static int LeadIn(ReadOnlySpan<char> text)
    {
        foreach (string words in (ReadOnlySpan<string>)["the final answer is", "the answer is", "final answer is", "answer is", "final answer", "answer"])
        {
            if (text.StartsWith(words, StringComparison.OrdinalIgnoreCase) && text.Length > words.Length + 1 && (text[words.Length] == ':' || (text[words.Length] == ' ' && words.EndsWith("is", StringComparison.Ordinal))))
            {
                return words.Length;
            }
        }

        return 0;
    }

    /// <summary>An emoji of two characters before an index.</summary>
    private static bool IsPicture(string text, int end) => end > 1 && char.IsSurrogatePair(text[end - 2], text[end - 1]) && char.GetUnicodeCategory(text, end - 2) == UnicodeCategory.OtherSymbol;

    private static bool IsFullStop(string text, int start, int end) => text[end - 1] == '.' && !(end - start > 1 && text[end - 2] == '.');
}
