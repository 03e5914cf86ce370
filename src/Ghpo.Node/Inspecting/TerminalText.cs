namespace Ghpo.Node.Inspecting;

/// <summary>What others wrote (a model's answers, names, lines of a log), made fit for a terminal: none of it may move the cursor, set a title or send keys.</summary>
internal static class TerminalText
{
    /// <summary>Control characters but line ends and tabs as the pictures that Unicode has of them (␛), C1's as �.</summary>
    public static string Of(string text) => !text.AsSpan().ContainsAnyInRange('\0', '\x1f') && !text.AsSpan().ContainsAnyInRange('\x7f', '\x9f')
        ? text
        : string.Concat(text.ReplaceLineEndings("\n").Select(c => c switch
        {
            '\n' or '\t' => c,
            < ' ' => (char)('\u2400' + c),
            '\x7f' => '\u2421',
            > '\x7f' and <= '\x9f' => '\ufffd',
            _ => c,
        }));
}
