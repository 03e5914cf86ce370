namespace Ghpo.Verification;

/// <summary>An answer found behind a marker.</summary>
/// <param name="Text">Trimmed, never empty.</param>
/// <param name="Marker">The marker that it was found behind; never <see cref="AnswerMarker.Any"/>.</param>
public sealed record ExtractedAnswer(string Text, AnswerMarker Marker);

/// <summary>
/// Finds the answer in a completion. Of several marked answers the last counts; a marker around nothing is passed over. What stands before the last
/// <c>&lt;/think></c> is thinking, not an answer, and thinking that is never closed leaves none. Linear in the length of the text; never throws on text.
/// </summary>
public static class AnswerExtractor
{
    private const string ThinkOpen = "<think>";
    private const string ThinkClose = "</think>";
    private const string AnswerOpen = "<answer>";
    private const string AnswerClose = "</answer>";
    private const string Hashes = "####";

    /// <summary>The answer, or null if there is none.</summary>
    /// <param name="marker">Any: boxed, else answer tag, else gsm8k.</param>
    /// <param name="truncated">The text was cut at its end: a <c>####</c> line without line break is then unfinished and does not count.</param>
    public static ExtractedAnswer? Find(string completion, AnswerMarker marker, bool truncated = false)
    {
        ArgumentNullException.ThrowIfNull(completion);
        if (AfterThinking(completion) is not string text)
        {
            return null;
        }

        return marker switch
        {
            AnswerMarker.Any => Boxed(text) ?? Tagged(text) ?? HashLine(text, truncated),
            AnswerMarker.Boxed => Boxed(text),
            AnswerMarker.AnswerTag => Tagged(text),
            AnswerMarker.Gsm8k => HashLine(text, truncated),
            _ => throw new ArgumentOutOfRangeException(nameof(marker), marker, "Unknown answer marker."),
        };
    }

    /// <summary>The part of a completion that may hold the answer; null if thinking was begun and not ended.</summary>
    internal static string? AfterThinking(string completion)
    {
        int close = completion.LastIndexOf(ThinkClose, StringComparison.Ordinal);
        string text = close < 0 ? completion : completion[(close + ThinkClose.Length)..];
        return text.Contains(ThinkOpen, StringComparison.Ordinal) ? null : text;
    }

    private static ExtractedAnswer? Boxed(string text)
    {
        // The box that begins last: of nested ones the inner.
        Box? last = null;
        foreach (Box box in Boxes.Find(text))
        {
            if ((last is null || box.Start > last.Value.Start) && !text.AsSpan(box.Content).IsWhiteSpace())
            {
                last = box;
            }
        }

        return last is null ? null : new ExtractedAnswer(text[last.Value.Content].Trim(), AnswerMarker.Boxed);
    }

    private static ExtractedAnswer? Tagged(string text)
    {
        string? last = null;
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
                last = content.Length > 0 ? content : last;
                open = -1;
            }
        }

        // A box inside the tag says more exactly what the answer is.
        return last is null ? null : new ExtractedAnswer(Boxed(last)?.Text ?? last, AnswerMarker.AnswerTag);
    }

    private static ExtractedAnswer? HashLine(string text, bool truncated)
    {
        ExtractedAnswer? last = null;
        for (int start = 0; start < text.Length;)
        {
            int newLine = text.IndexOf('\n', start);
            int end = newLine < 0 ? text.Length : newLine;
            ReadOnlySpan<char> line = text.AsSpan(start, end - start).Trim();
            bool complete = newLine >= 0 || !truncated;
            if (complete && line.StartsWith(Hashes) && !line[Hashes.Length..].StartsWith("#"))
            {
                string answer = line[Hashes.Length..].Trim().ToString();
                last = answer.Length > 0 ? new ExtractedAnswer(answer, AnswerMarker.Gsm8k) : last;
            }

            start = end + 1;
        }

        return last;
    }
}
