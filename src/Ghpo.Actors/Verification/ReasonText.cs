namespace Ghpo.Verification;

/// <summary>Answers within a reason.</summary>
internal static class ReasonText
{
    private const int MaxLength = 60;

    /// <summary>On one line, cut to a length that logs can bear.</summary>
    public static string Short(string text)
    {
        bool cut = text.Length > MaxLength;
        text = (cut ? text[..MaxLength] : text).ReplaceLineEndings(" ");
        return cut ? text + "…" : text;
    }
}
