namespace Ghpo.Verification.Extraction;

/// <summary>Whether a completion has the form that earns the format reward. Linear in its length.</summary>
public static class FormatMatcher
{
    private const string ThinkOpen = "<think>\n";
    private const string Middle = "\n</think>\n<answer>\n";
    private const string AnswerClose = "\n</answer>";

    /// <returns>True for <see cref="FormatRule.None"/>.</returns>
    public static bool Matches(FormatRule rule, string completion)
    {
        ArgumentNullException.ThrowIfNull(completion);
        return rule switch
        {
            FormatRule.None => true,
            FormatRule.ThinkAnswer => ThinkAnswer(completion),
            FormatRule.Boxed => OneBoxAtTheEnd(completion),
            _ => throw new ArgumentOutOfRangeException(nameof(rule), rule, "Unknown format rule."),
        };
    }

    /// <summary>
    /// The paper's <c>^&lt;think>\n.*?\n&lt;/think>\n&lt;answer>\n.*?\n&lt;/answer>$</c>, where a dot is any character and $ also stands
    /// before a final line break. The first middle part leaves the most room for the rest, so no other one has to be tried.
    /// </summary>
    private static bool ThinkAnswer(string text)
    {
        ReadOnlySpan<char> rest = text.EndsWith('\n') ? text.AsSpan(0, text.Length - 1) : text;
        if (!rest.StartsWith(ThinkOpen))
        {
            return false;
        }

        rest = rest[ThinkOpen.Length..];
        int middle = rest.IndexOf(Middle);
        return middle >= 0 && rest[(middle + Middle.Length)..].EndsWith(AnswerClose);
    }

    /// <summary>Exactly one box outside of thinking, and behind it nothing but the end of a sentence or formula.</summary>
    private static bool OneBoxAtTheEnd(string completion)
    {
        if (AnswerExtractor.AfterThinking(completion) is not string text || Boxes.Find(text) is not [Box box])
        {
            return false;
        }

        return text.AsSpan(box.End).Trim() is "" or "." or "$" or "$." or ".$" or "$$" or @"\)" or @"\)." or @"\]" or @".\]";
    }
}
