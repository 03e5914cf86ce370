namespace Ghpo.Verification.Extraction;

/// <summary>The letter of a multiple-choice answer in prose.</summary>
internal static class ChoiceExtractor
{
    private static readonly string[] Anchors = ["answer is", "answer:", "option is", "choice is", "option", "choice", "answer"];

    /// <returns>Null if there is no letter, or several of which none is named as the answer.</returns>
    public static char? Find(string text)
    {
        string? after = AnswerExtractor.AfterThinking(text);
        if (after is null)
        {
            return null;
        }

        if (Boxes.Last(after) is (string box, _))
        {
            after = box;
        }

        string trimmed = after.Trim(' ', '\n', '$', '*', '.', ':');
        bool article = trimmed is ['A' or 'I', ' ', >= 'a' and <= 'z', ..];
        if (LabelAt(trimmed, 0) is char leading && !article && (trimmed.Length == 1 || !char.IsAsciiLetterLower(trimmed[1])))
        {
            return leading;
        }

        foreach (string anchor in Anchors)
        {
            int at = after.LastIndexOf(anchor, StringComparison.OrdinalIgnoreCase);
            if (at >= 0 && LabelAt(after, SkipMarks(after, at + anchor.Length)) is char named)
            {
                return named;
            }
        }

        char? only = null;
        for (int i = 0; i + 2 < after.Length; i++)
        {
            if (after[i] == '(' && char.IsAsciiLetterUpper(after[i + 1]) && after[i + 2] == ')')
            {
                if (only is char other && other != after[i + 1])
                {
                    return null;
                }

                only = after[i + 1];
            }
        }

        return only;
    }

    private static int SkipMarks(string text, int at)
    {
        while (at < text.Length && text[at] is ' ' or ':' or '*' or '\n' or '$' or '"')
        {
            at++;
        }

        return at;
    }

    /// <summary>A capital letter on its own, in brackets or not.</summary>
    private static char? LabelAt(string text, int at)
    {
        bool open = at < text.Length && text[at] == '(';
        int letter = open ? at + 1 : at;
        if (letter >= text.Length || !char.IsAsciiLetterUpper(text[letter]))
        {
            return null;
        }

        int next = letter + 1;
        return open ? (next < text.Length && text[next] == ')' ? text[letter] : null)
            : next >= text.Length || !char.IsLetterOrDigit(text[next]) ? text[letter] : null;
    }
}
