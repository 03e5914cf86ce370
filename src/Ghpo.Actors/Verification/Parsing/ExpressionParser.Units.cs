using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Units and comments behind a value.</summary>
internal sealed partial class ExpressionParser
{
    /// <summary>A value and the unit or comment behind it, if there is one.</summary>
    private Expr WithUnit(Expr value)
    {
        string text = "";
        bool currency = false;
        int power = 0;
        while (!_failed)
        {
            Token token = Current;
            if (IsClause() || (text.Length == 0 && IsTo()))
            {
                break;
            }

            if (token.Kind == TokenKind.Currency && value is not Quantity)
            {
                text += " " + token.Text;
                currency = true;
            }
            else if (token.Kind == TokenKind.Word || (token is { Kind: TokenKind.Text } && ConnectiveOf(token) is null) || (text.Length > 0 && token.Kind == TokenKind.Name && ConnectiveOf(token) is null)
                || IsMinutes())
            {
                text += " " + token.Text;
            }
            else if (text.Length > 0 && token.Is('^') && power++ < 3)
            {
                _at++;
                bool braced = TakeIf('{');
                Token exponent = Take();
                if (exponent.Is('-'))
                {
                    exponent = Take();
                    text += "^-";
                }
                else
                {
                    text += "^";
                }

                text += exponent.Text;
                if (braced && !TakeIf('}'))
                {
                    return Fail();
                }

                continue;
            }
            else if (text.Length > 0 && token.Kind == TokenKind.Superscript)
            {
                text += "^" + token.Text;
            }
            else if (text.Length > 0 && token.Is('/') && Next.Kind is TokenKind.Text or TokenKind.Word or TokenKind.Letter && !Next.Is('/'))
            {
                text += "/" + Next.Text;
                _at++;
            }
            else if (text.Length > 0 && (token.Is('*') || token.IsCommand("cdot") || token.IsCommand("times")) && Next.Kind is TokenKind.Text or TokenKind.Word)
            {
                text += " ";
            }
            else if (text.Length > 0 && token.Is('.') && Next.Kind is TokenKind.End)
            {
                _at++;
                continue;
            }
            else
            {
                break;
            }

            _at++;
        }

        if (text.Length == 0)
        {
            return value;
        }

        text = text.Replace('~', ' ').Replace(@"\", "", StringComparison.Ordinal).Trim();
        string[] words = text.Replace("^-", "^", StringComparison.Ordinal).Split([' ', ',', '.', ';', '(', ')', '-'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length > 0 && Vocabulary.MagnitudeOf(words[0]) is int exponent10 && (words.Length == 1 || !words[1..].Any(Vocabulary.IsQualifier)))
        {
            value = new Product([value, new Number(new Rational(BigInteger.Pow(10, exponent10)), false)]);
            words = words[1..];
            text = string.Join(' ', words);
        }

        bool often = words is [.., "times"];
        if (words[..^(often ? 1 : 0)].Any(Vocabulary.IsQualifier) || (!currency && words.Any(word => word.Any(char.IsAsciiDigit) && !word.Contains('^'))) || value is Words)
        {
            return Fail();
        }

        string unit = Units.Of(text);
        return unit switch
        {
            "percent" => new Percent(value),
            "degree" => new Product([value, new Constant(ConstantKind.Degree)]),
            _ => new Quantity(value is Quantity inner ? inner.Value : value, value is Quantity { Unit: var before } && unit.Length == 0 ? before : unit),
        };
    }

    /// <summary>90 min: no arguments behind it, so no minimum.</summary>
    private bool IsMinutes() => Current is { Kind: TokenKind.Name, Text: "min" } && !Next.Is('(') && !Next.Is('{');
}
