namespace Ghpo.Verification;

public enum AnswerMatch
{
    Equal,
    Different,

    /// <summary>The reference is nothing that an answer could be compared with.</summary>
    Undecided,
}

/// <summary>
/// Whether an answer equals the reference. Two numbers are equal if they are exactly the same rational number; there is no tolerance, because
/// an accepted wrong answer teaches the policy more harm than a rejected right one. Anything else is equal if LaTeX would print it alike.
/// A pure function; its time is bounded by the caps on length and digits.
/// </summary>
public static class AnswerComparer
{
    /// <summary>Longer answers, in characters, are compared letter by letter only.</summary>
    public const int MaxLength = 20_000;

    public static AnswerMatch Compare(string reference, string answer)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(answer);
        string expected = reference.Length <= MaxLength ? LatexText.Normalize(reference) : "";
        if (expected.Length == 0)
        {
            return AnswerMatch.Undecided;
        }

        if (string.Equals(reference.Trim(), answer.Trim(), StringComparison.Ordinal))
        {
            return AnswerMatch.Equal;
        }

        if (answer.Length > MaxLength)
        {
            return AnswerMatch.Different;
        }

        string found = LatexText.Normalize(answer);
        bool equal = (ExactNumber.Parse(expected), ExactNumber.Parse(found)) switch
        {
            (ExactNumber a, ExactNumber b) => a.ValueEquals(b),
            (null, null) => string.Equals(LatexText.Collapse(expected), LatexText.Collapse(found), StringComparison.Ordinal),

            // A number and something else: "1,234" is one number, "1, 234" two.
            _ => false,
        };
        return equal ? AnswerMatch.Equal : AnswerMatch.Different;
    }
}
