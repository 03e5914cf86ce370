namespace Ghpo.Verification.Parsing;

internal enum TokenKind
{
    End,

    /// <summary>Digits, perhaps with a point and an exponent of ten, without separators.</summary>
    Number,

    /// <summary>One letter, or the LaTeX name of one.</summary>
    Letter,

    /// <summary>A run of letters that is a function, a constant or an operator.</summary>
    Name,

    /// <summary>A run of letters that is none of these: a word or a unit.</summary>
    Word,

    /// <summary>A LaTeX command, without its backslash.</summary>
    Command,

    /// <summary>What stands in \text{…} and the like.</summary>
    Text,

    /// <summary>Digits and signs set above or below the line by Unicode.</summary>
    Superscript,
    Subscript,

    /// <summary>½ and the like; the text is "1/2".</summary>
    VulgarFraction,

    /// <summary>A currency sign, by the currency's canonical name.</summary>
    Currency,

    /// <summary>\begin{…} and \end{…}, by the environment's name.</summary>
    Begin,
    EndOf,

    /// <summary>Any other single character.</summary>
    Sign,
}

/// <param name="Spaced">White space stands before it.</param>
/// <param name="Wide">The space is a \quad or wider: what stands on its two sides is not one product.</param>
internal readonly record struct Token(TokenKind Kind, string Text, bool Spaced, bool Wide = false)
{
    public bool Is(char sign) => Kind == TokenKind.Sign && Text.Length == 1 && Text[0] == sign;

    public bool IsCommand(string name) => Kind == TokenKind.Command && Text == name;
}
