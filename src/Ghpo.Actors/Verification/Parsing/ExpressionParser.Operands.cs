using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Numbers, letters, brackets and environments.</summary>
internal sealed partial class ExpressionParser
{
    /// <summary>Powers of ten above this are not read.</summary>
    private const int MaxExponentOfTen = 9_000;

    private Expr Operand()
    {
        Token token = Current;
        if (_failed || !Enter())
        {
            return Fail();
        }

        Expr operand = token.Kind switch
        {
            TokenKind.Number => NumberOperand(),
            TokenKind.VulgarFraction => FractionOperand(Take().Text),
            TokenKind.Letter => LetterOperand(),
            TokenKind.Name => NameOperand(),
            TokenKind.Command => CommandOperand(),
            TokenKind.Text => TextOperand(),
            TokenKind.Word => new Words(Take().Text),
            TokenKind.Begin => Environment(),
            TokenKind.Sign => token.Text[0] switch
            {
                '{' when IsBareSetBuilder() => BareSetBuilder(),
                '(' or '[' or '{' => Bracketed(),
                '|' => Bars(),
                ']' => ReversedInterval(),
                _ => Fail(),
            },
            _ => Fail(),
        };
        Leave();
        return operand;
    }

    private static Number FractionOperand(string text)
    {
        string[] parts = text.Split('/');
        return new Number(Rational.Of(int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture))!.Value, false);
    }

    private Expr NumberOperand()
    {
        string text = Take().Text;
        if (ReadNumber(text) is not Number number)
        {
            return Fail();
        }

        bool integer = !text.Contains('.') && number.Value.IsInteger;
        if (integer && Current is { Kind: TokenKind.Letter, Spaced: false } && BasedLetters(text) is string digits)
        {
            return Based(digits);
        }

        if (Current.Is('_') && text.All(c => char.IsAsciiDigit(c) || c == '.'))
        {
            return Based(text);
        }

        if (Current.Kind == TokenKind.Subscript)
        {
            return new BasedNumber(text, Take().Text);
        }

        if (text.Contains('.') && Current.Kind == TokenKind.Command && Current.Text is "overline" or "bar" or "dot")
        {
            return Repeating(text);
        }

        bool bracketed = text[^1] == '.' && Current is { Spaced: false } && Current.Is('(') && Next.Kind == TokenKind.Number && Next.Text.All(char.IsAsciiDigit);
        if (!integer && bracketed && _tokens[Math.Min(_at + 2, _tokens.Count - 1)].Is(')'))
        {
            _at += 3;
            return RepeatingOf(text, _tokens[_at - 2].Text);
        }

        return number;
    }

    /// <summary>Digits with at most one point and an exponent of ten. BigInteger must never read the exponent itself: it would build the power.</summary>
    private static Number? ReadNumber(string text)
    {
        int e = text.AsSpan().IndexOfAny('e', 'E');
        ReadOnlySpan<char> mantissa = e < 0 ? text : text.AsSpan(0, e);
        int exponent = 0;
        if (e >= 0 && (!int.TryParse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs(exponent) > MaxExponentOfTen))
        {
            return null;
        }

        int point = mantissa.IndexOf('.');
        string digits = point < 0 ? mantissa.ToString() : string.Concat(mantissa[..point], mantissa[(point + 1)..]);
        if (digits.Length is 0 or > Tokenizer.MaxDigits || !BigInteger.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out BigInteger value))
        {
            return null;
        }

        int shift = exponent - (point < 0 ? 0 : mantissa.Length - point - 1);
        bool written = e >= 0 || (point >= 0 && point < mantissa.Length - 1);
        if (shift == 0)
        {
            return new Number(new Rational(value), written);
        }

        var power = BigInteger.Pow(10, Math.Abs(shift));
        return new Number(shift > 0 ? new Rational(value * power) : Rational.Of(value, power)!.Value, written);
    }

    /// <summary>Digits above 9 as capital letters, if a base follows them: 2A_{16}. Takes them.</summary>
    private string? BasedLetters(string digits)
    {
        int end = _at;
        while (_tokens[end] is { Kind: TokenKind.Letter, Text: [>= 'A' and <= 'Z'], Spaced: false } or { Kind: TokenKind.Number, Spaced: false } && end - _at < 50)
        {
            digits += _tokens[end++].Text;
        }

        if (!_tokens[end].Is('_') || !digits.All(char.IsAsciiLetterOrDigit))
        {
            return null;
        }

        _at = end;
        return digits;
    }

    private Expr Based(string digits)
    {
        _at++;
        string name = "";
        if (TakeIf('{'))
        {
            while (!Current.Is('}') && Current.Kind != TokenKind.End)
            {
                name += Take().Text;
            }

            TakeIf('}');
        }
        else
        {
            Token token = Take();
            if (token.Is('('))
            {
                token = Take();
                TakeIf(')');
            }

            name = token.Text;
        }

        name = name.Trim('(', ')', ' ').ToLowerInvariant();
        name = name switch
        {
            "two" => "2",
            "three" => "3",
            "four" => "4",
            "five" => "5",
            "six" => "6",
            "seven" => "7",
            "eight" => "8",
            "nine" => "9",
            "ten" => "10",
            "twelve" => "12",
            "sixteen" => "16",
            _ => name.StartsWith("base", StringComparison.Ordinal) ? name[4..].Trim() : name,
        };
        digits = digits.TrimStart('0');
        return name.Length == 0 ? Fail() : new BasedNumber(digits.Length == 0 || digits[0] == '.' ? "0" + digits : digits, name);
    }

    /// <summary>0.1\overline{6}</summary>
    private Expr Repeating(string text)
    {
        _at++;
        bool braced = TakeIf('{');
        Token digits = Take();
        return (braced && !TakeIf('}')) || digits.Kind != TokenKind.Number || !digits.Text.All(char.IsAsciiDigit) ? Fail() : RepeatingOf(text, digits.Text);
    }

    /// <summary>a.b with c repeating for ever: (abc − ab) / (10^|b| (10^|c| − 1)). It is exact, so no decimal in the sense of the tolerance.</summary>
    private Expr RepeatingOf(string text, string period)
    {
        if (period.Length > 200 || ReadNumber(text + period) is not Number all || ReadNumber(text) is not Number before)
        {
            return Fail();
        }

        int decimals = text.Length - text.IndexOf('.', StringComparison.Ordinal) - 1;
        var scale = BigInteger.Pow(10, decimals);
        var longScale = BigInteger.Pow(10, decimals + period.Length);
        return Rational.Multiply(all.Value, new Rational(longScale)) is Rational a && Rational.Multiply(before.Value, new Rational(scale)) is Rational b
            && Rational.Of(a.Numerator - b.Numerator, longScale - scale) is Rational value ? new Number(value, false) : Fail();
    }

    private Expr LetterOperand()
    {
        string name = Take().Text;
        if (Current.Is('_') || Current.Kind == TokenKind.Subscript)
        {
            name += Subscript();
        }

        int primes = 0;
        while (Current.Is('\'') && primes++ < 5)
        {
            _at++;
            name += "'";
        }

        if (name is "f" or "g" or "h" && Current.Is('^') && Next.Is('{') && _at + 4 < _tokens.Count && _tokens[_at + 2].Is('-') && _tokens[_at + 3] is { Kind: TokenKind.Number, Text: "1" } && _tokens[_at + 4].Is('}'))
        {
            _at += 5;
            name += "^{-1}";
        }

        if (Current.Is('(') && name is not ("e" or "i" or "d") && (name.Length == 1 || name.Contains('\'') || name.Contains('_') || name.Contains('^')))
        {
            int start = _at;
            Expr bracket = Bracketed();
            Sequence? several = bracket as Sequence;
            bool factor = several is null && !IsFunctionName(name) && (Current.Is('^') || Current.Is('!') || Current.Kind == TokenKind.Superscript);
            if (factor || several is not null and not { Open: Bracket.Round, Close: Bracket.Round })
            {
                _at = _failed ? _at : start;
                return new Symbol(name);
            }

            return new Call(name, several?.Items ?? [bracket], Applied: true);
        }

        return name switch
        {
            "e" => new Constant(ConstantKind.E),
            "i" => new Constant(ConstantKind.I),
            _ => new Symbol(name),
        };
    }

    /// <summary>Letters that a bracket behind makes a function rather than a factor.</summary>
    internal static bool IsFunctionName(string name) => name[0] is 'f' or 'g' or 'F' or 'G' || name.Contains('\'') || name.Contains('^');

    /// <summary>The subscript of a letter as text: part of its name. x_{1} and x_1 are the same.</summary>
    private string Subscript()
    {
        if (Current.Kind == TokenKind.Subscript)
        {
            return "_" + Take().Text;
        }

        _at++;
        if (!TakeIf('{'))
        {
            return "_" + Take().Text;
        }

        var text = new System.Text.StringBuilder("_");
        int depth = 1;
        while (Current.Kind != TokenKind.End)
        {
            depth += Current.Is('{') ? 1 : Current.Is('}') ? -1 : 0;
            if (depth == 0)
            {
                _at++;
                return text.ToString();
            }

            text.Append(Current.Kind == TokenKind.Text ? Take().Text.Trim() : Take().Text);
        }

        Fail();
        return "";
    }

    private Expr TextOperand()
    {
        string text = Take().Text.Trim(' ', '~', '\n', '$');
        if (Current.Is('_') && text.Length > 0 && text.All(char.IsAsciiLetterOrDigit))
        {
            return Based(text);
        }

        string bare = text.TrimEnd('.', ',', ';', ' ');
        return bare.Length is > 0 and < 500 && Parse(bare, (_depth / 10) + 1) is Expr inner ? inner : new Words(text);
    }

    /// <summary>(…), […], (…], […) or {…}. One value in it is the value itself.</summary>
    private Expr Bracketed()
    {
        if (!Enter())
        {
            return Fail();
        }

        char open = Take().Text[0];
        int bars = _bars;
        int sets = _sets;
        (_bars, _sets) = (0, open == '{' ? _sets : 0);
        Expr? inside = IsClosing(Current) ? null : List();
        (_bars, _sets) = (bars, sets);
        char close = Current.Kind == TokenKind.Sign ? Current.Text[0] : '\0';
        if (!IsClosing(Current) || (open == '{') != (close == '}'))
        {
            return Fail();
        }

        _at++;
        Leave();
        Bracket left = open switch { '(' => Bracket.Round, '[' => Bracket.Square, _ => Bracket.BareBrace };
        Bracket right = close switch { ')' => Bracket.Round, ']' => Bracket.Square, _ => Bracket.BareBrace };
        return inside switch
        {
            null when open == '{' => new Sequence(left, right, [], Connector.Comma),
            null => Fail(),
            Sequence { Open: Bracket.None } list => list with { Open = left, Close = right },
            _ when left != right => Fail(),
            _ => inside,
        };
    }

    private Expr BareSetBuilder()
    {
        _at++;
        return BracedSet(bare: true);
    }

    private static bool IsClosing(Token token) => token.Is(')') || token.Is(']') || token.Is('}');

    /// <summary>]a, b[: open ends in another notation.</summary>
    private Expr ReversedInterval()
    {
        _at++;
        _reversed = true;
        Expr inside = List();
        _reversed = false;
        return inside is Sequence { Open: Bracket.None, Items.Length: 2 } pair && (Current.Is('[') || Current.Is(']'))
            ? pair with { Open = Bracket.Round, Close = Take().Is('[') ? Bracket.Round : Bracket.Square }
            : Fail();
    }

    /// <summary>|x|, and ||x|| as the absolute value of an absolute value.</summary>
    private Expr Bars()
    {
        _at++;
        int sets = _sets;
        _sets = 0;
        Expr inside;
        if (Current.Is('|') && !Current.Spaced)
        {
            inside = Bars();
        }
        else
        {
            _bars++;
            inside = List();
            _bars--;
        }

        _sets = sets;
        return TakeIf('|') ? new Call("abs", [inside]) : Fail();
    }

    private Expr Environment()
    {
        string name = Take().Text;
        if (name is not ("pmatrix" or "bmatrix" or "matrix" or "Bmatrix" or "vmatrix" or "smallmatrix" or "array" or "cases"))
        {
            return Fail();
        }

        var rows = new List<List<Expr>> { new() };
        int entries = 0;
        while (!_failed && Current.Kind is not (TokenKind.EndOf or TokenKind.End))
        {
            if (TakeCommand("\\"))
            {
                rows.Add([]);
            }
            else if (TakeIf('&'))
            {
                continue;
            }
            else if (++entries > 400)
            {
                return Fail();
            }
            else
            {
                rows[^1].Add(List());
            }
        }

        rows.RemoveAll(row => row.Count == 0);
        if (_failed || Take() is not { Kind: TokenKind.EndOf } end || end.Text != name || rows.Count == 0 || rows.Any(row => row.Count != rows[0].Count))
        {
            return Fail();
        }

        var matrix = new Matrix([.. rows.Select(row => row.ToImmutableArray())]);
        return name switch
        {
            "vmatrix" => new Call("det", [matrix]),
            "cases" => new Call("cases", [matrix]),
            _ => matrix,
        };
    }
}
