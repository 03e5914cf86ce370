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
        if (integer && InlineChoice(number) is Expr choice)
        {
            return choice;
        }

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

        if (text.Contains('.') && Current is { Kind: TokenKind.Command, Text: "ldots" or "dots" or "cdots", Spaced: false } && PeriodOf(text) is int period)
        {
            _at++;
            return RepeatingOf(text[..^period], text[^period..]);
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

        name = name.Trim('(', ')', ' ', '~').ToLowerInvariant();
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
        if (name == "10" && digits.Length > 0 && digits.All(char.IsAsciiDigit) && ReadNumber(digits) is Number plain)
        {
            return plain;
        }

        return name.Length == 0 ? Fail() : new BasedNumber(digits.Length == 0 || digits[0] == '.' ? "0" + digits : digits, name);
    }

    /// <summary>0.1\overline{6}</summary>
    private Expr Repeating(string text)
    {
        string mark = Take().Text;
        bool braced = TakeIf('{');
        Token digits = Take();
        if (mark == "dot" && digits is { Kind: TokenKind.Number, Text.Length: 1 } && (!braced || TakeIf('}')))
        {
            return BetweenDots(text, digits.Text);
        }

        return (braced && !TakeIf('}')) || digits.Kind != TokenKind.Number || !digits.Text.All(char.IsAsciiDigit) ? Fail() : RepeatingOf(text, digits.Text);
    }

    /// <summary>0.\dot{1}2\dot{3}: dots over the first and the last digit of the period; one dot is over both.</summary>
    private Expr BetweenDots(string text, string first)
    {
        int start = _at;
        string period = first;
        if (Current is { Kind: TokenKind.Number, Spaced: false } && Next.IsCommand("dot") && Current.Text.All(char.IsAsciiDigit))
        {
            period += Take().Text;
        }

        if (TakeCommand("dot"))
        {
            bool braced = TakeIf('{');
            if (Take() is { Kind: TokenKind.Number, Text.Length: 1 } last && (!braced || TakeIf('}')))
            {
                return RepeatingOf(text, period + last.Text);
            }
        }

        _at = start;
        return RepeatingOf(text, first);
    }

    /// <summary>Length of the period that digits before an ellipsis show: a digit three times, or more of them twice. Null where they show none.</summary>
    private static int? PeriodOf(string text)
    {
        ReadOnlySpan<char> decimals = text.AsSpan(text.IndexOf('.', StringComparison.Ordinal) + 1);
        for (int length = 1; length <= 6 && length * 2 <= decimals.Length; length++)
        {
            ReadOnlySpan<char> last = decimals[^length..];
            bool twice = decimals[..^length].EndsWith(last);
            if (twice && (length > 1 || (decimals.Length > 2 && decimals[^3] == last[0])))
            {
                return length;
            }
        }

        return null;
    }

    /// <summary>The digits of (1011)_2 and (2BC)_{16}, if that stands here; takes them and their brackets.</summary>
    private string? BasedInBrackets()
    {
        string digits = "";
        int at = _at + 1;
        while (_tokens[at] is { Kind: TokenKind.Letter, Text: [>= 'A' and <= 'Z'] } or { Kind: TokenKind.Number } && at - _at < 50)
        {
            digits += _tokens[at++].Text;
        }

        if (!_tokens[at].Is(')') || !_tokens[at + 1].Is('_') || !digits.Any(char.IsAsciiDigit) || !digits.All(char.IsAsciiLetterOrDigit))
        {
            return null;
        }

        _at = at + 1;
        return digits;
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
