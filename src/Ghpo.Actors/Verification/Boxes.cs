namespace Ghpo.Verification;

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
    private const int NotABox = -1;

    /// <summary>All complete boxes, in the order in which they close: an inner one before the one around it.</summary>
    public static List<Box> Find(string text)
    {
        var boxes = new List<Box>();

        // One entry an open brace: where its content begins, and where its box begins if it is a box's.
        var open = new Stack<(int Content, int BoxStart)>();
        for (int i = 0; i < text.Length; i++)
        {
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
                        if (content < text.Length && char.IsAsciiLetterOrDigit(text[content]))
                        {
                            boxes.Add(new Box(i, content..(content + 1), content + 1));
                        }

                        i += length - 1;
                    }

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
