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
                || IsNamedUnit() || (text.Length == 0 && IsSquareMetres(_at)))
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

        string unit = Units.Of(text) is { Length: > 0 } known ? known : Units.Within(words);
        return unit switch
        {
            "percent" => new Percent(value),
            "degree" => new Product([value, new Constant(ConstantKind.Degree)]),
            _ => new Quantity(value is Quantity inner ? inner.Value : value, value is Quantity { Unit: var before } ? (unit.Length == 0 ? before : unit[0] == '/' ? before + unit : unit) : unit),
        };
    }

    /// <summary>The unit that a fraction of words is, \frac{\text{miles}}{\text{hour}}; null if it is none.</summary>
    private static string? UnitOf(Expr fraction)
    {
        static string? Name(Expr part) => part switch { Words words => words.Text, Symbol symbol => symbol.Name, _ => null };
        return fraction is Product { Factors: [Words above, Power { Base: var below, Exponent: Number { Value: var inverse } }] } && inverse == Rational.MinusOne && Name(below) is string per
            && Units.Of(above.Text + "/" + per) is { Length: > 0 } unit ? unit : null;
    }

    /// <summary>12 m^2 or 12 m² as plain text at the very end: metres, unlike the m of 12m^2.</summary>
    private bool IsSquareMetres(int at)
    {
        if (_tokens[at] is not { Kind: TokenKind.Letter, Text: "m", Spaced: true, Wide: false } || at == 0 || _tokens[at - 1].Kind != TokenKind.Number)
        {
            return false;
        }

        int exponent = _tokens[at + 1].Is('^') ? at + 2 : at + 1;
        return exponent + 1 < _tokens.Count && _tokens[exponent] is { Kind: TokenKind.Number or TokenKind.Superscript, Text: "2" or "3" } && _tokens[exponent].Kind == TokenKind.Number == (exponent == at + 2)
            && _tokens[exponent + 1].Kind == TokenKind.End;
    }

    /// <summary>90 min, 5 lb: no arguments behind it, so no minimum and no logarithm.</summary>
    private bool IsNamedUnit() => Current is { Kind: TokenKind.Name, Text: "min" or "lb" } && !Next.Is('(') && !Next.Is('{');
}
