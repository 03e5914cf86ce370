using System.Text;

namespace Ghpo.Verification.Parsing;

/// <summary>
/// Cuts an answer into tokens, LaTeX, plain text and Unicode alike. One pass, O(n). Thousands separators, delimiters of formulas and spacing are gone
/// afterwards.
/// </summary>
internal ref struct Tokenizer
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
                _ when UnicodeMathematics.IsInvisible(raw) => Skip(1),
                ' ' or '\t' or '\n' or '\r' or '~' => Space(1),
                '\\' => Command(),
                '$' => Dollar(),
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
        _tokens.Add(new Token(kind, text, _spaced));
        _spaced = false;
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

    private bool Letters()
    {
        int end = _at;
        while (end < _text.Length && char.IsAsciiLetter(At(end)))
        {
            end++;
        }

        string run = string.Create(end - _at, (_text, _at), static (span, from) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = UnicodeMathematics.Plain(from._text[from._at + i]);
            }
        });
        if (run is "a" or "p" && At(end) == '.' && At(end + 1) == 'm' && !char.IsAsciiLetter(At(end + 2)) && FollowsValue())
        {
            return Emit(TokenKind.Word, run + "m", At(end + 2) == '.' ? run.Length + 3 : run.Length + 2);
        }

        bool subscripted = end < _text.Length && At(end) == '_';
        if (run.Length > 1 && Vocabulary.IsName(run))
        {
            Add(run is "and" or "or" or "AND" or "OR" || Vocabulary.FunctionOf(run) is not null || Vocabulary.PlainNameOf(run) is not null ? TokenKind.Name : TokenKind.Word, run);
        }
        else if (run.Length > 1 && UnicodeMathematics.IsGreekName(run))
        {
            Add(TokenKind.Letter, run);
        }
        else if (run.Length > 1 && ((Units.IsUnit(run) && FollowsValue()) || Vocabulary.IsShortWord(run)))
        {
            Add(TokenKind.Word, run);
        }
        else if (run.Length <= 3 || (run.Length == 4 && !HasVowel(run)) || subscripted && run.Length <= 3)
        {
            foreach (char letter in run)
            {
                Add(TokenKind.Letter, letter.ToString());
            }
        }
        else
        {
            SplitRun(run);
        }

        _at = end;
        return true;
    }

    /// <summary>sinx, xcosy: names with single letters around them. Anything else is a word.</summary>
    private void SplitRun(string run)
    {
        var parts = new List<(TokenKind, string)>();
        int letters = 0;
        for (int i = 0; i < run.Length;)
        {
            int length = Math.Min(7, run.Length - i);
            while (length > 1 && !(length > 2 && Vocabulary.FunctionOf(run.Substring(i, length)) is not null) && run.Substring(i, length) != "pi")
            {
                length--;
            }

            letters += length == 1 ? 1 : 0;
            parts.Add((length == 1 ? TokenKind.Letter : TokenKind.Name, run.Substring(i, length)));
            i += length;
        }

        if (letters > 2)
        {
            Add(TokenKind.Word, run);
            return;
        }

        foreach ((TokenKind kind, string text) in parts)
        {
            Add(kind, text);
        }
    }

    private readonly bool FollowsValue() => _tokens.Count > 0 && (_tokens[^1].Kind is TokenKind.Number or TokenKind.VulgarFraction || _tokens[^1].Is('}') || _tokens[^1].Is(')') || _tokens[^1].Is('/'));

    private static bool HasVowel(string run) => run.Any("aeiouyAEIOUY".Contains);

    private bool Number()
    {
        var digits = new StringBuilder();
        int i = Digits(_at, digits);
        int groupStart = i;
        while (digits.Length <= 3 || i > groupStart)
        {
            int separator = SeparatorLength(i);
            if (separator == 0 || digits.Length == 0 || digits[0] == '0' || digits.Length > MaxDigits || !IsGroup(i + separator))
            {
                break;
            }

            i = Digits(i + separator, digits);
        }

        if (At(i) == '.' && At(i + 1) != '.')
        {
            digits.Append('.');
            i = Digits(i + 1, digits);
        }

        if (At(i) is 'e' or 'E' && ExponentLength(i) is int length and > 0)
        {
            for (int k = 0; k < length; k++)
            {
                digits.Append(At(i + k));
            }

            i += length;
        }

        Add(TokenKind.Number, digits.ToString());
        _at = i;
        return digits.Length <= MaxDigits;
    }

    private readonly int Digits(int i, StringBuilder digits)
    {
        while (i < _text.Length && char.IsAsciiDigit(At(i)))
        {
            digits.Append(At(i));
            i++;
        }

        return i;
    }

    private readonly int ExponentLength(int i)
    {
        int k = i + 1;
        if (At(k) is '+' or '-')
        {
            k++;
        }

        int start = k;
        while (char.IsAsciiDigit(At(k)))
        {
            k++;
        }

        return k == start || char.IsAsciiLetter(At(k)) || At(k) == '.' ? 0 : k - i;
    }

    /// <summary>Length of a thousands separator at the index, 0 if there is none: 1,234 1{,}234 1\!,234 1,\!234 1 234 1\,234.</summary>
    private readonly int SeparatorLength(int i)
    {
        ReadOnlySpan<char> rest = i < _text.Length ? _text.AsSpan(i) : [];
        if (rest.StartsWith("{,}"))
        {
            return rest.StartsWith(@"{,}\!") ? 5 : 3;
        }

        foreach (string marked in (ReadOnlySpan<string>)[@",\! ", @",\!", @"\!,\!", @"\!,", @"\,", @"\ ", @"{\,}", @"\;"])
        {
            if (rest.StartsWith(marked))
            {
                return marked.Length;
            }
        }

        char c = At(i);
        return (c == ',' && _depth == 0) || (c is ' ' && _depth == 0 && SpacedGroups(i)) ? 1 : 0;
    }

    private readonly bool IsGroup(int i) =>
        char.IsAsciiDigit(At(i)) && char.IsAsciiDigit(At(i + 1)) && char.IsAsciiDigit(At(i + 2)) && !char.IsAsciiDigit(At(i + 3));

    /// <summary>A space parts thousands, but in 1 125/1000 it parts a whole number from a fraction.</summary>
    private readonly bool SpacedGroups(int i)
    {
        int end = i;
        while (At(end) == ' ' && IsGroup(end + 1))
        {
            end += 4;
        }

        return end > i && At(end) != '/';
    }

    private bool Command()
    {
        if (At(_at + 1) == '\\' && !_rows && char.IsAsciiLetter(At(_at + 2)))
        {
            // A backslash too many before a command: \\frac. In matrices it ends a row.
            _at++;
        }

        int length = 1;
        while (char.IsAsciiLetter(At(_at + length)) && _text[_at + length] < '\u0080')
        {
            length++;
        }

        if (length == 1)
        {
            char sign = At(_at + 1);
            switch (sign)
            {
                case '\0':
                    return Skip(1);
                case ',' or ';' or ':' or '>' or '!' or ' ' or '(' or ')' or '[' or ']' or '\n' or '"' or '/':
                    return Space(2);
                case '%':
                    return Emit(TokenKind.Sign, "%", 2);
                case '$':
                    return Emit(TokenKind.Currency, "dollar", 2);
                case '{':
                    _depth++;
                    return Emit(TokenKind.Command, "{", 2);
                case '}':
                    _depth = Math.Max(0, _depth - 1);
                    return Emit(TokenKind.Command, "}", 2);
                case '\\' or '|' or '#' or '&' or '_':
                    return Emit(TokenKind.Command, sign.ToString(), 2);
                default:
                    return Emit(TokenKind.Command, "?" + sign, 2);
            }
        }

        string name = _text.Substring(_at + 1, length - 1);
        _at += length;
        return LatexCommand(name);
    }

    private bool LatexCommand(string name)
    {
        switch (name)
        {
            case "left" or "right" or "big" or "Big" or "bigg" or "Bigg" or "bigl" or "bigr" or "Bigl" or "Bigr" or "biggl" or "biggr" or "Biggl" or "Biggr" or "middle":
                return Delimiter(name);
            case "quad" or "qquad" or "displaystyle" or "textstyle" or "limits" or "nolimits" or "thinspace" or "medspace" or "enspace" or "space" or "hfill" or "n" or "t" or "r"
                or "rm" or "bf" or "it" or "mathstrut" or "strut" or "allowbreak" or "nonumber" or "ensuremath" or "normalfont" or "hline":
                _spaced = true;
                return true;
            case "hspace" or "vspace" or "phantom" or "hphantom" or "vphantom" or "label" or "tag" or "color":
                _spaced = true;
                return Braced(out _) || true;
            case "begin":
                if (!Braced(out string begun))
                {
                    return false;
                }

                if (begun is "array" or "tabular")
                {
                    Braced(out _);
                }

                Add(TokenKind.Begin, begun.TrimEnd('*'));
                return true;
            case "end":
                if (!Braced(out string ended))
                {
                    return false;
                }

                Add(TokenKind.EndOf, ended.TrimEnd('*'));
                return true;
            case "text" or "textnormal" or "mbox" or "textrm" or "textit" or "textbf" or "textsf" or "texttt" or "hbox" or "textup" or "emph":
                if (!Braced(out string inner))
                {
                    return false;
                }

                Add(TokenKind.Text, inner);
                return true;
            case "mathrm" or "mathbf" or "mathit" or "mathsf" or "boldsymbol" or "bm" or "bold" or "mathnormal" or "mathtt" or "operatorname" or "pmb" or "rm":
                return Upright(name);
            case ['q', 'u', 'a', 'd', _, ..] or ['q', 'q', 'u', 'a', 'd', _, ..]:
                // \quadx: the letters behind the space are the next token.
                _at -= name.Length - (name[1] == 'q' ? 5 : 4);
                _spaced = true;
                return true;
            default:
                Add(UnicodeMathematics.IsGreekName(name) || name is "ell" or "hbar" ? TokenKind.Letter : TokenKind.Command, name);
                return true;
        }
    }

    /// <summary>\left( is a bracket like any other; \left. stands for none.</summary>
    private bool Delimiter(string name)
    {
        while (Current is ' ')
        {
            _at++;
        }

        if (Current == '.')
        {
            return Space(1);
        }

        if (Current == '|' && name is "left" or "right")
        {
            return Emit(TokenKind.Command, name == "left" ? "lvert" : "rvert", 1);
        }

        return true;
    }

    /// <summary>\mathrm{…}: a letter, a function's name, or text. Its content is read as mathematics where it is not a word.</summary>
    private bool Upright(string name)
    {
        int before = _at;
        if (!Braced(out string content))
        {
            // \mathbf x
            return true;
        }

        content = content.Trim('~', ' ', '*');
        if (name != "operatorname" && _tokens.Count > 0 && FollowsValue() && Units.Of(content).Length > 0)
        {
            Add(TokenKind.Text, content);
            return true;
        }

        if (content.Length == 1 && char.IsLetter(content[0]))
        {
            Add(TokenKind.Letter, content);
        }
        else if (Vocabulary.FunctionOf(content) is not null || (name == "operatorname" && content.Length > 0 && content.All(char.IsAsciiLetter)))
        {
            Add(Vocabulary.FunctionOf(content) is not null ? TokenKind.Name : TokenKind.Word, content);
        }
        else if (content.Length > 1 && content.All(c => char.IsAsciiLetter(c) || c is ' ' or '~' or '.'))
        {
            Add(TokenKind.Text, content);
        }
        else
        {
            // Mathematics in another font: read on inside of the braces.
            _at = before;
        }

        return true;
    }

    /// <summary>Reads {…} with balanced braces, raw.</summary>
    private bool Braced(out string content)
    {
        int open = _at;
        while (At(open) == ' ')
        {
            open++;
        }

        content = "";
        if (At(open) == '*')
        {
            open++;
        }

        if (At(open) != '{')
        {
            return false;
        }

        int depth = 0;
        for (int i = open; i < _text.Length; i++)
        {
            char c = _text[i];
            if (c == '\\')
            {
                i++;
            }
            else if (c == '{')
            {
                depth++;
            }
            else if (c == '}' && --depth == 0)
            {
                content = _text[(open + 1)..i];
                _at = i + 1;
                return true;
            }
        }

        return false;
    }
}
