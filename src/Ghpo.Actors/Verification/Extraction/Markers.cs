using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Extraction;

/// <summary>Explicit marks of an answer. Each is found in one pass over the text.</summary>
internal static class Markers
{
    private const string AnswerOpen = "<answer>";
    private const string AnswerClose = "</answer>";
    private const string HashMark = "####";
    private const string FinalAnswer = "final answer";
    private const int MaxSentence = 2_000;

    /// <summary>The last strong marker's answer; where there is none, the last weak one's.</summary>
    /// <param name="strict">A value in the middle of a sentence does not count.</param>
    public static ExtractedAnswer? Last(string text, bool truncated, bool strict)
    {
        ExtractedAnswer? best = null;
        int start = -1;
        Consider(Boxes.Last(text), MarkerKind.Box);
        Consider(Tagged(text), MarkerKind.AnswerTag);
        Consider(Hashes(text, truncated), MarkerKind.Hashes);
        (string Text, int Start)? final = Anchored(text, FinalAnswer, truncated, strict);

        // Several words behind "final answer" talk about it as often as they state it.
        bool talk = final is (string words, _) && AnswerText.IsProse(words) && words.Contains(' ');
        if (!talk || best is null)
        {
            Consider(final, MarkerKind.FinalAnswer);
        }

        if (best is not null)
        {
            return best;
        }

        Consider(Anchored(text, "answer is", truncated, strict), MarkerKind.Anchor);
        Consider(Anchored(text, "answer:", truncated, strict), MarkerKind.Anchor);
        Consider(Anchored(text, "answer**:", truncated, strict), MarkerKind.Anchor);
        return best;

        void Consider((string Text, int Start)? found, MarkerKind kind)
        {
            if (found is (string answer, int at) && at > start)
            {
                (best, start) = (new ExtractedAnswer(answer, kind), at);
            }
        }
    }

    public static (string Text, int Start)? Tagged(string text)
    {
        (string, int)? last = null;
        int open = -1;
        for (int i = text.IndexOf('<', StringComparison.Ordinal); i >= 0; i = text.IndexOf('<', i + 1))
        {
            ReadOnlySpan<char> rest = text.AsSpan(i);
            if (rest.StartsWith(AnswerOpen))
            {
                open = i + AnswerOpen.Length;
            }
            else if (open >= 0 && rest.StartsWith(AnswerClose))
            {
                string content = text[open..i].Trim();
                last = content.Length > 0 ? (content, open) : last;
                open = -1;
            }
        }

        // A box inside the tag says more exactly what the answer is.
        return last is (string answer, int start) ? (Boxes.Last(answer)?.Text ?? answer, start) : null;
    }

    /// <summary>#### and an answer up to the end of the line. A heading of prose with text below it is none.</summary>
    public static (string Text, int Start)? Hashes(string text, bool truncated)
    {
        (string, int)? last = null;
        for (int i = text.IndexOf(HashMark, StringComparison.Ordinal); i >= 0;)
        {
            int end = i + HashMark.Length;
            if (end < text.Length && text[end] == '#')
            {
                while (end < text.Length && text[end] == '#')
                {
                    end++;
                }
            }
            else
            {
                int newLine = text.IndexOf('\n', end);
                int stop = newLine < 0 ? text.Length : newLine;
                string answer = text[end..stop].Trim();
                bool heading = answer.Length > 1 && char.IsAsciiLetter(answer[0]) && char.IsAsciiLetter(answer[1]) && !text.AsSpan(stop).IsWhiteSpace();
                if (answer.Length > 0 && !heading && (newLine >= 0 || !truncated))
                {
                    last = (answer, i);
                }

                end = stop;
            }

            i = end < text.Length ? text.IndexOf(HashMark, end, StringComparison.Ordinal) : -1;
        }

        return last;
    }

    /// <summary>The answer behind the last of these words that has one.</summary>
    private static (string Text, int Start)? Anchored(string text, string words, bool truncated, bool strict)
    {
        int tries = 0;
        for (int i = text.LastIndexOf(words, StringComparison.OrdinalIgnoreCase); i >= 0 && tries++ < 20; i = i == 0 ? -1 : text.LastIndexOf(words, i - 1, StringComparison.OrdinalIgnoreCase))
        {
            int from = i + words.Length;
            if ((words != FinalAnswer || Introduces(text, ref from)) && Sentence(text, from, truncated) is string sentence && Sentences.Answer(sentence, strict) is string answer)
            {
                return (answer, i);
            }
        }

        return null;
    }

    /// <summary>"final answer" introduces one only before is, are, a colon, a sign or a new line.</summary>
    private static bool Introduces(string text, ref int from)
    {
        int i = from;
        if (i < text.Length && text[i] is 's' or 'S')
        {
            i++;
        }

        while (i < text.Length && text[i] is '*' or '_' or ' ' or '#')
        {
            i++;
        }

        if (i >= text.Length)
        {
            return false;
        }

        foreach (string verb in (ReadOnlySpan<string>)["is ", "is:", "are ", "is\n", "is$", @"is\"])
        {
            if (text.AsSpan(i).StartsWith(verb, StringComparison.OrdinalIgnoreCase))
            {
                from = i + (verb.StartsWith("are", StringComparison.Ordinal) ? 3 : 2);
                return true;
            }
        }

        from = i;
        return text[i] is ':' or '=' or '\n' or '\r' or '$' or '\\' or '-' || char.IsAsciiDigit(text[i]);
    }

    /// <summary>The sentence from an index: to its full stop, the end of its line or of its formula. Null if it is empty, or cut.</summary>
    private static string? Sentence(string text, int from, bool truncated)
    {
        while (from < text.Length && (char.IsWhiteSpace(text[from]) || text[from] is ':' or '=' or '*' or '_' or '>' or '"' || (text[from] == '\\' && from + 1 < text.Length && text[from + 1] == '"')))
        {
            from++;
        }

        int limit = Math.Min(text.Length, from + MaxSentence);
        int end = Formulas.EndAt(text, from) is int formula and > 0 ? formula : from;
        bool closed = end > from;
        for (; end < limit; end++)
        {
            char c = text[end];
            bool stop = c == '\n' || (c is '.' or '!' && end + 1 < text.Length && char.IsWhiteSpace(text[end + 1]) && !IsAbbreviation(text, end))
                || (c == '.' && end + 1 < text.Length && text[end + 1] is '\\' or '*' && !text.AsSpan(end).StartsWith(@".\overline"));
            if (stop)
            {
                closed = true;
                break;
            }
        }

        return end <= from || (truncated && !closed) ? null : text[from..end];
    }

    private static bool IsAbbreviation(string text, int dot) => dot >= 3 && text[dot - 2] == '.' && char.IsAsciiLetter(text[dot - 1]);
}
