using System.Buffers;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Extraction;

/// <summary>Explicit marks of an answer. Each is found in one pass over the text.</summary>
internal static class Markers
{
    private const string AnswerOpen = "<answer>";
    private const string AnswerClose = "</answer>";
    private const string HashMark = "####";
    private const int MaxSentence = 2_000;

    /// <summary>How far from the end of the text words that introduce an answer are looked for, in characters.</summary>
    private const int MaxTail = 500_000;

    /// <summary>The longest name of what an answer is the answer to, in characters.</summary>
    private const int MaxObject = 80;

    /// <summary>Anchors looked at, from the last one backwards.</summary>
    private const int MaxAnchors = 20;

    private static readonly SearchValues<string> FinalAnswer = SearchValues.Create(["final answer"], StringComparison.OrdinalIgnoreCase);
    private static readonly SearchValues<string> Anchors = SearchValues.Create(["answer is", "answer:", "answer**:", "answer*:", "answer__:", "answer to ", "answer for "], StringComparison.OrdinalIgnoreCase);

    /// <summary>The last strong marker's answer; where there is none, the last weak one's.</summary>
    /// <param name="strict">A value in the middle of a sentence does not count.</param>
    public static ExtractedAnswer? Last(string text, bool truncated, bool strict)
    {
        ExtractedAnswer? best = null;
        int start = -1;
        Consider(Boxes.Last(text), MarkerKind.Box);
        Consider(Tagged(text), MarkerKind.AnswerTag);
        int cut = Math.Max(0, text.Length - MaxTail);
        text = text[cut..];
        start -= cut;
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

        Consider(Anchored(text, Anchors, truncated, strict), MarkerKind.Anchor);
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
        // The last closing tag that has an opening one before it, and something between them.
        (string, int)? last = null;
        int cut = Math.Max(0, text.Length - MaxTail);
        text = text[cut..];
        int end = text.Length;
        for (int i = 0; i < MaxAnchors && last is null && end > 0; i++)
        {
            int close = text.AsSpan(0, end).LastIndexOf(AnswerClose, StringComparison.OrdinalIgnoreCase);
            int open = close < 0 ? -1 : text.AsSpan(0, close).LastIndexOf(AnswerOpen, StringComparison.OrdinalIgnoreCase);
            if (open < 0)
            {
                break;
            }

            int start = open + AnswerOpen.Length;
            string content = text[start..close].Trim();
            bool closedBefore = content.Contains(AnswerClose, StringComparison.OrdinalIgnoreCase);
            last = content.Length > 0 && !closedBefore ? (content, cut + start) : null;
            end = closedBefore ? close : open;
        }

        // A box, or words that introduce the answer, say more exactly what it is.
        return last is (string answer, int at) ? (Boxes.Last(answer)?.Text ?? Anchored(answer, Anchors, truncated: false, strict: true)?.Text ?? Stated(answer) ?? answer, at) : null;
    }

    /// <summary>The value that a sentence within tags states; null where they hold no sentence.</summary>
    private static string? Stated(string answer) =>
        answer.Length < MaxSentence && answer.Contains(' ', StringComparison.Ordinal) && ExpressionParser.Parse(AnswerText.Clean(answer)) is null && !AnswerText.IsProse(answer) ? Sentences.Answer(answer, strict: true) : null;

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

    /// <summary>Where the words stand, the last ones first.</summary>
    private static IEnumerable<int> Occurrences(string text, SearchValues<string> words)
    {
        // The search runs forward, which is vectorised; only the last places are kept.
        var last = new int[MaxAnchors];
        int count = 0;
        for (int i = text.AsSpan().IndexOfAny(words); i >= 0;)
        {
            last[count++ % MaxAnchors] = i;
            int next = text.AsSpan(i + 1).IndexOfAny(words);
            i = next < 0 ? -1 : i + 1 + next;
        }

        return Enumerable.Range(1, Math.Min(count, MaxAnchors)).Select(k => last[(count - k) % MaxAnchors]);
    }

    /// <summary>The answer behind the last of these words that has one.</summary>
    private static (string Text, int Start)? Anchored(string text, SearchValues<string> words, bool truncated, bool strict)
    {
        foreach (int i in Occurrences(text, words))
        {
            if (AfterAnchor(text, i) is int from && (words != FinalAnswer || Introduces(text, ref from)) && Sentence(text, from, truncated) is string sentence && Sentences.Answer(sentence, strict) is string answer)
            {
                return (answer, i);
            }
        }

        return null;
    }

    /// <summary>The index behind "answer is" and its like; null where "answer to …" goes on without "is".</summary>
    private static int? AfterAnchor(string text, int at)
    {
        ReadOnlySpan<char> rest = text.AsSpan(at);
        if (rest.StartsWith("final", StringComparison.OrdinalIgnoreCase))
        {
            int end = at + "final answer".Length;
            return IsOf(text.AsSpan(end)) ? Verb(text, end) : end;
        }

        int length = "answer".Length;
        return IsOf(rest[length..]) ? Verb(text, at + length) + 3
            : at + length + (rest[length..].StartsWith(" is", StringComparison.OrdinalIgnoreCase) ? 3 : rest[length] is '*' or '_' ? (rest[length + 1] == ':' ? 2 : 3) : 1);
    }

    private static bool IsOf(ReadOnlySpan<char> rest) => rest.StartsWith(" to ", StringComparison.OrdinalIgnoreCase) || rest.StartsWith(" for ", StringComparison.OrdinalIgnoreCase);

    /// <summary>The index of " is" behind what the answer is the answer to, in the same sentence: to the question, for part (b).</summary>
    private static int? Verb(string text, int from)
    {
        ReadOnlySpan<char> rest = text.AsSpan(from, Math.Min(text.Length - from, MaxObject));
        int end = rest.IndexOfAny('.', '\n', '$');
        int verb = (end < 0 ? rest : rest[..end]).IndexOf(" is", StringComparison.OrdinalIgnoreCase);
        return verb < 0 || from + verb + 3 >= text.Length || char.IsAsciiLetter(text[from + verb + 3]) ? null : from + verb;
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
        while (from < text.Length && (char.IsWhiteSpace(text[from]) || text[from] is ':' or '=' or '*' or '_' or '}' or '"' || (text[from] == '>' && from > 0 && text[from - 1] == '\n') || (text[from] == '\\' && from + 1 < text.Length && text[from + 1] == '"')))
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
