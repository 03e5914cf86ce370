using Ghpo.Verification.Equivalence;

namespace Ghpo.Verification.Extraction;

/// <summary>A complete <c>\boxed{…}</c> or <c>\fbox{…}</c> in a text. <c>\boxed 7</c> counts too: LaTeX takes the next character then.</summary>
/// <param name="Start">Index of the backslash.</param>
/// <param name="Content">What is in the box, without its braces.</param>
internal readonly record struct Box(int Start, Range Content, int End);

/// <summary>
/// Finds boxes in one pass, O(n) time, memory for the braces open at a time. Braces must balance (escaped ones do not count); a box that is
/// never closed is none.
/// </summary>
internal static class Boxes
{
    /// <summary>The longest text between neighbouring boxes, in characters.</summary>
    private const int MaxGap = 70;

    /// <summary>How far before the last one boxes are looked for, in characters.</summary>
    private const int MaxBacklog = 500_000;

    private const int MaxParts = 32;

    /// <summary>Boxes looked at, from the last one backwards, for one list.</summary>
    private const int MaxNeighbours = 200;

    private const int NotABox = -1;

    /// <summary>All complete boxes, in the order in which they close: an inner one before the one around it.</summary>
    public static List<Box> Find(string text)
    {
        var boxes = new List<Box>();
        int lastBegun = Math.Max(text.LastIndexOf(@"\boxed", StringComparison.Ordinal), text.LastIndexOf(@"\fbox", StringComparison.Ordinal));
        if (lastBegun < 0)
        {
            return boxes;
        }

        int from = Math.Max(0, lastBegun - MaxBacklog);

        // One entry an open brace: where its content begins, and where its box begins if it is a box's.
        var open = new Stack<(int Content, int BoxStart)>();
        for (int i = from; i < text.Length; i++)
        {
            int next = text.AsSpan(i).IndexOfAny('\\', '{', '}');
            if (next < 0)
            {
                break;
            }

            i += next;
            switch (text[i])
            {
                case '\\' when CommandLength(text, i) is int length and > 0:
                    int content = SkipBlanks(text, i + length);
                    if (content < text.Length && text[content] == '{')
                    {
                        open.Push((content + 1, i));
                        i = content;
                    }
                    else
                    {
                        if (content < text.Length && char.IsAsciiLetterOrDigit(text[content]) && !(content + 1 < text.Length && char.IsAsciiLetter(text[content + 1])))
                        {
                            boxes.Add(new Box(i, content..(content + 1), content + 1));
                        }

                        i += length - 1;
                    }

                    break;

                case '\\' when i + 1 < text.Length && text[i + 1] == '\\' && CommandLength(text, i + 1) > 0:
                    // \\boxed: a backslash too many.
                    break;

                case '\\':
                    // The next character is escaped, or begins the name of another command: either way it opens and closes nothing.
                    i++;
                    break;

                case '{':
                    open.Push((i + 1, NotABox));
                    break;

                case '}' when open.Count > 0:
                    (int begin, int boxStart) = open.Pop();
                    if (boxStart != NotABox)
                    {
                        boxes.Add(new Box(boxStart, begin..i, i + 1));
                    }

                    break;
            }
        }

        return boxes;
    }

    /// <summary>
    /// The answer in the last box and its neighbours: boxes with only punctuation, "and" or "or" between them form one list. Of nested boxes the innermost
    /// counts; empty ones are passed over; equal ones are one.
    /// </summary>
    public static (string Text, int Start)? Last(string text)
    {
        List<Box> boxes = Find(text);
        boxes.RemoveAll(box => text.AsSpan(box.Content).IsWhiteSpace());
        if (boxes.Count == 0)
        {
            return null;
        }

        // Boxes come in the order in which they close: one that begins after the last one kept is around no other.
        var inner = new List<Box>();
        foreach (Box box in boxes)
        {
            if (inner.Count == 0 || box.Start >= inner[^1].End)
            {
                inner.Add(box);
            }
        }

        var parts = new List<string> { text[inner[^1].Content].Trim() };
        int first = inner.Count - 1;
        while (first > 0 && parts.Count < MaxParts && inner.Count - first < MaxNeighbours && AreNeighbours(text, inner[first - 1].End, inner[first].Start))
        {
            first--;
            string part = text[inner[first].Content].Trim();
            if (!parts.Exists(other => other == part || AnswerComparer.Compare(other, part) == AnswerMatch.Equal))
            {
                parts.Add(part);
            }
        }

        parts.Reverse();
        return (parts.Count == 1 ? parts[0] : string.Join(", ", parts), inner[^1].Start);
    }

    private static bool AreNeighbours(string text, int from, int to)
    {
        if (to < from || to - from > MaxGap)
        {
            return false;
        }

        string gap = text[from..to];
        foreach (string command in (ReadOnlySpan<string>)[@"\qquad", @"\quad", @"\text", @"\mbox", @"\left", @"\right", @"\hspace"])
        {
            gap = gap.Replace(command, " ", StringComparison.Ordinal);
        }

        return !gap.Any(char.IsLetterOrDigit) || HasWord(gap, "and") || HasWord(gap, "or");
    }

    private static bool HasWord(string text, string word)
    {
        for (int i = text.IndexOf(word, StringComparison.OrdinalIgnoreCase); i >= 0; i = text.IndexOf(word, i + 1, StringComparison.OrdinalIgnoreCase))
        {
            if ((i == 0 || !char.IsLetter(text[i - 1])) && (i + word.Length == text.Length || !char.IsLetter(text[i + word.Length])))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Length of \boxed or \fbox at the index, 0 if neither stands there.</summary>
    private static int CommandLength(string text, int index)
    {
        ReadOnlySpan<char> rest = text.AsSpan(index);
        int length = rest.StartsWith(@"\boxed") ? 6 : rest.StartsWith(@"\fbox") ? 5 : 0;
        return length > 0 && length < rest.Length && char.IsAsciiLetter(rest[length]) ? 0 : length;
    }

    private static int SkipBlanks(string text, int index)
    {
        while (index < text.Length && text[index] is ' ' or '\t' or '\n' or '\r')
        {
            index++;
        }

        return index;
    }
}
