using System.Buffers;

namespace Ghpo.Verification.Extraction;

/// <summary>An answer found in a text.</summary>
/// <param name="Text">Trimmed, never empty.</param>
/// <param name="Kind">What it was found behind.</param>
public sealed record ExtractedAnswer(string Text, MarkerKind Kind);

public enum MarkerKind
{
    Box,
    AnswerTag,
    Hashes,
    FinalAnswer,

    /// <summary>"answer is", "answer:". Counts only where there is no stronger marker.</summary>
    Anchor,

    /// <summary>No marker: the last formula or number, or the whole text.</summary>
    Fallback,
}

/// <summary>
/// Finds the answer in a completion. What stands before the last <c>&lt;/think></c> is thinking, not an answer, and thinking that is never closed leaves
/// none. Of boxes, answer tags, #### and "final answer" the last one counts; a marker around nothing is passed over. Linear in the length of the text.
/// </summary>
public static class AnswerExtractor
{
    /// <summary>How far from the end of the text a formula or number without marker is looked for, in characters.</summary>
    private const int MaxTail = 200_000;

    private const string ThinkOpen = "<think>";
    private const string ThinkClose = "</think>";

    private static readonly SearchValues<string> TurnEnds =
        SearchValues.Create(["<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "</s>"], StringComparison.Ordinal);

    /// <summary>The answer, or null if there is none.</summary>
    /// <param name="truncated">The text was cut at its end: an answer that nothing but the end of the text closes does not count.</param>
    public static ExtractedAnswer? Find(string completion, AnswerMarker marker, bool truncated = false)
    {
        ArgumentNullException.ThrowIfNull(completion);
        if (AfterThinking(completion) is not string text)
        {
            return null;
        }

        return marker switch
        {
            AnswerMarker.Any => Markers.Last(text, truncated, strict: true),
            AnswerMarker.Lenient => Markers.Last(text, truncated, strict: false) ?? (truncated ? null : Fallback(text, FormulaKinds.Both)),
            AnswerMarker.Boxed => Boxes.Last(text) is (string box, _) ? new ExtractedAnswer(box, MarkerKind.Box) : null,
            AnswerMarker.AnswerTag => Markers.Tagged(text) is (string tagged, _) ? new ExtractedAnswer(tagged, MarkerKind.AnswerTag) : null,
            AnswerMarker.Gsm8k => Markers.Hashes(text, truncated) is (string hashed, _) ? new ExtractedAnswer(hashed, MarkerKind.Hashes) : null,
            _ => throw new ArgumentOutOfRangeException(nameof(marker), marker, "Unknown answer marker."),
        };
    }

    /// <summary>The answer in a text whose marker may be missing: the reference, or either side where only its notation is given.</summary>
    internal static string? FindAnywhere(string text, FormulaKinds kinds)
    {
        if (AfterThinking(text) is not string answer)
        {
            return null;
        }

        return (Markers.Last(answer, truncated: false, strict: false) ?? Fallback(answer, kinds))?.Text;
    }

    /// <summary>The part of a completion that may hold the answer; null if thinking was begun and not ended.</summary>
    internal static string? AfterThinking(string completion)
    {
        if (!completion.Contains('<', StringComparison.Ordinal))
        {
            return completion;
        }

        int close = completion.LastIndexOf(ThinkClose, StringComparison.Ordinal);
        string text = close < 0 ? completion : completion[(close + ThinkClose.Length)..];
        if (text.Contains(ThinkOpen, StringComparison.Ordinal))
        {
            return null;
        }

        // What opens the text ends nothing.
        int turn = text.Length == 0 ? -1 : text.AsSpan(1).IndexOfAny(TurnEnds) + 1;
        return turn > 0 ? text[..turn] : text;
    }

    private static ExtractedAnswer? Fallback(string text, FormulaKinds kinds)
    {
        text = text[Math.Max(0, text.Length - MaxTail)..];
        string? found = Formulas.Whole(text, kinds) ?? Formulas.Last(text, kinds);
        return string.IsNullOrWhiteSpace(found) ? null : new ExtractedAnswer(found.Trim(), MarkerKind.Fallback);
    }
}
