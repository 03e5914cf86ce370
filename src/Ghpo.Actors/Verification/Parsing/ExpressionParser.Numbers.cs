using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Numbers: decimals, repeating decimals, digits in another base.</summary>
internal sealed partial class ExpressionParser
{
    /// <summary>Powers of ten above this are not read.</summary>
    private const int MaxExponentOfTen = 9_000;

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
}
