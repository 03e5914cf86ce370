using System.Text;

namespace Ghpo.Verification.Parsing;

/// <summary>
/// Cuts an answer into tokens, LaTeX, plain text and Unicode alike. One pass, O(n). Thousands separators, delimiters of formulas and spacing are gone
/// afterwards.
/// </summary>
internal ref partial struct Tokenizer
{
    /// <summary>Answers of more tokens are not read.</summary>
    public const int MaxTokens = 10_000;

    /// <summary>Longer numbers are not read, in digits.</summary>
    public const int MaxDigits = 10_000;

    private readonly string _text;
    private readonly List<Token> _tokens = [];
    private readonly bool _rows;
    private readonly bool _dollarsAreMoney;
    private int _at;
    private bool _spaced;
    private bool _wide;

    /// <summary>Open environments whose &amp; only lines things up.</summary>
    private int _aligned;

    /// <summary>Open brackets: in them a comma between digits parts items.</summary>
    private int _depth;

    private Tokenizer(string text)
    {
        _text = text;
        _rows = text.Contains(@"\begin", StringComparison.Ordinal);
        int dollars = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '$')
            {
                dollars++;
            }
        }

        _dollarsAreMoney = dollars % 2 == 1;
    }

    /// <returns>Null if the text has too many tokens, too long a number, or an environment or text that does not end.</returns>
    public static List<Token>? Tokenize(string text)
    {
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', '\u007F') >= 0 && text.Any(UnicodeMathematics.IsInvisible))
        {
            text = string.Concat(text.Where(c => !UnicodeMathematics.IsInvisible(c)));
        }

        var tokenizer = new Tokenizer(text);
        return tokenizer.Run() ? tokenizer._tokens : null;
    }

    private readonly char Current => At(_at);

    private readonly char At(int index) => index < _text.Length ? UnicodeMathematics.Plain(_text[index]) : '\0';

    private bool Run()
    {
        while (_at < _text.Length)
        {
            char raw = _text[_at];
            char c = UnicodeMathematics.Plain(raw);
            bool read = c switch
            {
                ' ' or '\t' or '\n' or '\r' or '~' => Space(1),
                '\\' => Command(),
                '$' => Dollar(),
                '&' when _aligned > 0 => Space(1),
                '.' when At(_at + 1) == '.' && At(_at + 2) == '.' => Emit(TokenKind.Command, "ldots", 3),
                _ when char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(At(_at + 1)) && !FollowsDigit()) => Number(),
                _ when char.IsAsciiLetter(c) => Letters(),
                _ => Other(raw, c),
            };
            if (!read || _tokens.Count > MaxTokens)
            {
                return false;
            }
        }

        Add(TokenKind.End, "");
        return true;
    }

    private readonly bool FollowsDigit() => _at > 0 && char.IsAsciiDigit(At(_at - 1));

    private void Add(TokenKind kind, string text)
    {
        _tokens.Add(new Token(kind, text, _spaced, _wide));
        (_spaced, _wide) = (false, false);
    }

    private bool Skip(int length)
    {
        _at += length;
        return true;
    }

    private bool Space(int length)
    {
        _spaced = true;
        return Skip(length);
    }

    private bool Emit(TokenKind kind, string text, int length)
    {
        Add(kind, text);
        return Skip(length);
    }

    private bool Dollar()
    {
        // $12.55 is money where the dollar signs do not pair up; else they only delimit formulas.
        bool money = _dollarsAreMoney && (char.IsAsciiDigit(At(_at + 1)) || At(_at + 1) == '.' || (At(_at + 1) == ' ' && char.IsAsciiDigit(At(_at + 2))));
        return money ? Emit(TokenKind.Currency, "dollar", 1) : Space(1);
    }

    private bool Other(char raw, char c)
    {
        if (UnicodeMathematics.CommandOf(raw) is string command)
        {
            bool named = command is "R" or "N" or "Z" or "Q" or "C";
            TokenKind kind = command is "sqrt" or "cbrt" ? TokenKind.Name : TokenKind.Command;
            return Emit(kind, named ? "mathbb" + command : command, 1);
        }

        if (UnicodeMathematics.FractionOf(raw) is string fraction)
        {
            return Emit(TokenKind.VulgarFraction, fraction, 1);
        }

        if (UnicodeMathematics.CurrencyOf(raw) is string currency)
        {
            return Emit(TokenKind.Currency, currency, 1);
        }

        if (UnicodeMathematics.GreekOf(raw) is string greek)
        {
            return Emit(greek == "pi" ? TokenKind.Name : TokenKind.Letter, greek, 1);
        }

        if (UnicodeMathematics.SuperscriptOf(raw) is not null && BuiltFraction() is (string built, int width))
        {
            return Emit(TokenKind.VulgarFraction, built, width);
        }

        if (UnicodeMathematics.SuperscriptOf(raw) is not null)
        {
            return Emit(TokenKind.Superscript, Raised(UnicodeMathematics.SuperscriptOf, out int length), length);
        }

        if (UnicodeMathematics.SubscriptOf(raw) is not null)
        {
            return Emit(TokenKind.Subscript, Raised(UnicodeMathematics.SubscriptOf, out int length), length);
        }

        if (raw is '°' or 'º')
        {
            return Emit(TokenKind.Command, "degree", 1);
        }

        if (char.IsHighSurrogate(raw) && _at + 1 < _text.Length && char.IsLowSurrogate(_text[_at + 1]))
        {
            int codePoint = char.ConvertToUtf32(raw, _text[_at + 1]);
            if (UnicodeMathematics.MathematicalGreekOf(codePoint) is string letter)
            {
                return Emit(letter == "pi" ? TokenKind.Name : TokenKind.Letter, letter, 2);
            }

            return UnicodeMathematics.AlphanumericOf(codePoint) is not char plain ? Emit(TokenKind.Letter, char.ConvertFromUtf32(codePoint), 2)
                : Emit(char.IsAsciiDigit(plain) ? TokenKind.Number : TokenKind.Letter, plain.ToString(), 2);
        }

        if (char.IsLetter(c))
        {
            return Emit(TokenKind.Letter, c.ToString(), 1);
        }

        switch (c)
        {
            case '(' or '[':
                _depth++;
                break;
            case ')' or ']':
                _depth = Math.Max(0, _depth - 1);
                break;
            case '{' when StandsAlone():
                // A list in bare braces. Its depth is given back by whatever brace closes; only commas between digits depend on it.
                _depth++;
                break;
            case '}' when _depth > 0 && ClosesAlone():
                _depth--;
                break;
        }

        return Emit(TokenKind.Sign, c.ToString(), 1);
    }

    private readonly bool StandsAlone() => _tokens.Count == 0 || _tokens[^1] is { Kind: TokenKind.Sign, Text: "," or "(" or "=" or "[" or "{" } or { Kind: TokenKind.Command, Text: "cup" or "cap" or "setminus" or "in" };

    private readonly bool ClosesAlone()
    {
        int open = 0;
        for (int i = _tokens.Count - 1, looked = 0; i >= 0 && looked < 200; i--, looked++)
        {
            if (_tokens[i].Is('}'))
            {
                open++;
            }
            else if (_tokens[i].Is('{') && open-- == 0)
            {
                return i == 0 || _tokens[i - 1] is { Kind: TokenKind.Sign, Text: "," or "(" or "=" or "[" or "{" } or { Kind: TokenKind.Command, Text: "cup" or "cap" or "setminus" or "in" };
            }
        }

        return false;
    }

    /// <summary>¹⁄₁₂: raised digits, a slash, lowered digits; null if no such thing stands here.</summary>
    private readonly (string Text, int Length)? BuiltFraction()
    {
        int i = _at;
        var text = new StringBuilder();
        for (; i < _text.Length && UnicodeMathematics.SuperscriptOf(_text[i]) is char above and >= '0' and <= '9'; i++)
        {
            text.Append(above);
        }

        if (i == _at || i >= _text.Length || _text[i] is not ('⁄' or '/' or '∕'))
        {
            return null;
        }

        text.Append('/');
        int slash = i++;
        for (; i < _text.Length && UnicodeMathematics.SubscriptOf(_text[i]) is char below and >= '0' and <= '9'; i++)
        {
            text.Append(below);
        }

        return i == slash + 1 || text.Length > 9 || _text[slash + 1] == '₀' ? null : (text.ToString(), i - _at);
    }

    private readonly string Raised(Func<char, char?> meaning, out int length)
    {
        var text = new StringBuilder();
        length = 0;
        while (_at + length < _text.Length && meaning(_text[_at + length]) is char c)
        {
            text.Append(c);
            length++;
        }

        return text.ToString();
    }
}
