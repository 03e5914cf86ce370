namespace Ghpo.Verification.Parsing;

/// <summary>LaTeX commands.</summary>
internal ref partial struct Tokenizer
{
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
                case '\\':
                    return RowEnd();
                case '|' or '#' or '&' or '_':
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
            case "quad" or "qquad":
                (_spaced, _wide) = (true, true);
                return true;
            case "displaystyle" or "textstyle" or "limits" or "nolimits" or "thinspace" or "medspace" or "enspace" or "space" or "hfill" or "n" or "t" or "r"
                or "scriptstyle" or "scriptscriptstyle" or "tiny" or "small" or "normalsize" or "large" or "Large" or "LARGE" or "huge" or "Huge" or "mathstrut" or "strut" or "allowbreak"
                or "nonumber" or "ensuremath" or "normalfont" or "hline" or "checkmark" or "blacksquare" or "qed" or "therefore":
                _spaced = true;
                return true;
            case "rm" or "bf" or "it" or "sf" or "tt" or "cal":
                return FontSwitch();
            case "hspace" or "vspace" or "phantom" or "hphantom" or "vphantom" or "label" or "tag" or "color" or "textcolor":
                _spaced = true;
                return Braced(out _) || true;
            case "begin":
                if (!Braced(out string begun))
                {
                    return false;
                }

                if (begun is "array" or "tabular" or "alignat" or "alignat*" or "alignedat")
                {
                    Braced(out _);
                }

                _aligned += Vocabulary.IsDisplay(begun) ? 1 : 0;
                Add(TokenKind.Begin, begun.TrimEnd('*'));
                return true;
            case "end":
                if (!Braced(out string ended))
                {
                    return false;
                }

                _aligned -= Vocabulary.IsDisplay(ended) ? 1 : 0;
                Add(TokenKind.EndOf, ended.TrimEnd('*'));
                return true;
            case "text" or "textnormal" or "mbox" or "textrm" or "textit" or "textbf" or "textsf" or "texttt" or "hbox" or "textup" or "emph":
                if (!Braced(out string inner))
                {
                    return false;
                }

                return TextArgument(inner);
            case "mathop" or "mathrm" or "mathbf" or "mathit" or "mathsf" or "boldsymbol" or "bm" or "bold" or "mathnormal" or "mathtt" or "operatorname" or "pmb":
                return Upright(name);
            case ['q', 'u', 'a', 'd', _, ..] or ['q', 'q', 'u', 'a', 'd', _, ..]:
                // \quadx: the letters behind the space are the next token.
                _at -= name.Length - (name[1] == 'q' ? 5 : 4);
                (_spaced, _wide) = (true, true);
                return true;
            case "cr" or "newline" or "tabularnewline":
                return Emit(TokenKind.Command, @"\", 0);
            case "colon" or "lbrack" or "rbrack" or "percent":
                return Emit(TokenKind.Sign, name switch { "colon" => ":", "lbrack" => "[", "rbrack" => "]", _ => "%" }, 0);
            case "Pr":
                return Emit(TokenKind.Letter, "P", 0);
            case "imath" or "jmath":
                return Emit(TokenKind.Letter, name[..1], 0);
            default:
                Add(UnicodeMathematics.IsGreekName(name) || name is "ell" or "hbar" ? TokenKind.Letter : TokenKind.Command, Vocabulary.CommandOf(name));
                return true;
        }
    }

    /// <summary>The argument of \text: a function's name, a currency sign, white space, or text.</summary>
    private bool TextArgument(string content)
    {
        string bare = content.Trim(' ', '~', '\\', '$');
        if (bare.Length == 0)
        {
            return content.Contains('$') ? Emit(TokenKind.Currency, "dollar", 0) : Space(0);
        }

        bool function = Vocabulary.FunctionOf(content) is not null && content is not ("min" or "max" or "deg" or "sign" or "arg" or "dim" or "tr" or "th" or "ch" or "sh" or "abs");
        return Emit(function ? TokenKind.Name : TokenKind.Text, content, 0);
    }

    /// <summary>{\rm cm}: a font for the rest of its braces, which are then an argument like \mathrm's.</summary>
    private bool FontSwitch()
    {
        _spaced = true;
        int close = _tokens.Count > 0 && _tokens[^1].Is('{') ? _text.IndexOfAny(['{', '}', '\\'], _at) : -1;
        if (close < 0 || _text[close] != '}' || !Upright("mathrm", _text[_at..close].Trim('~', ' ')))
        {
            return true;
        }

        Token read = _tokens[^1];
        _tokens.RemoveRange(_tokens.Count - 2, 2);
        _tokens.Add(read);
        _at = close + 1;
        return true;
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

        if (name == "mathop" && content.StartsWith('\\'))
        {
            // \mathop{\rm lcm}, \mathop{\sin}
            content = content.StartsWith(@"\rm ", StringComparison.Ordinal) ? content[4..] : content[1..];
        }

        if (!Upright(name, content.Trim('~', ' ', '*')))
        {
            // Mathematics in another font: read on inside of the braces.
            _at = before;
        }

        return true;
    }

    /// <returns>False if the content is no word, unit, function or letter.</returns>
    private bool Upright(string name, string content)
    {
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
        else if (content.Length > 1 && (content.All(c => char.IsAsciiLetter(c) || c is ' ' or '~' or '.') || (At(_at) == '_' && content.All(char.IsAsciiLetterOrDigit))))
        {
            Add(TokenKind.Text, content);
        }
        else
        {
            return false;
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
