using System.Globalization;
using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Mixed numbers: a whole number and the fraction behind it.</summary>
internal sealed partial class ExpressionParser
{
    /// <summary>The fraction of a mixed number whose whole part has just been read: \frac13, 1/3 behind a space, ½.</summary>
    private Expr? MixedFraction(Rational? whole)
    {
        if (whole is not { IsInteger: true } || _tokens[_at - 1].Text.Contains('.'))
        {
            return null;
        }

        Token token = Current;
        int start = _at;
        if (token.Kind == TokenKind.VulgarFraction)
        {
            return PowerExpression();
        }

        if (token.Kind == TokenKind.Number && token.Spaced && Next.Is('/') && _tokens[Math.Min(_at + 2, _tokens.Count - 1)].Kind == TokenKind.Number)
        {
            _at += 3;
            return Proper(_tokens[start].Text, _tokens[start + 2].Text, start);
        }

        if (token.Is('{') && Next.Kind == TokenKind.Number && _at + 2 < _tokens.Count && _tokens[_at + 2].IsCommand("over"))
        {
            return Argument() is Product { Factors: [Number { Value: var above }, Power { Base: Number { Value: var below } }] } && Rational.Compare(above, below) < 0 && !Current.Is('^')
                && Rational.Divide(above, below) is Rational part ? new Number(part, false) : Back(start);
        }

        if (token.Kind == TokenKind.Command && token.Text is "frac" or "dfrac" or "tfrac" or "cfrac")
        {
            _at++;
            return (Argument(), Argument()) is (Number { Value: { IsInteger: true, Sign: > 0 } a, IsDecimal: false }, Number { Value: { IsInteger: true } b, IsDecimal: false })
                && Rational.Compare(a, b) < 0 && !Current.Is('^') && Rational.Divide(a, b) is Rational value
                ? new Number(value, false)
                : Back(start);
        }

        return null;
    }

    private Number? Proper(string above, string below, int start) =>
        BigInteger.TryParse(above, NumberStyles.None, CultureInfo.InvariantCulture, out BigInteger a)
        && BigInteger.TryParse(below, NumberStyles.None, CultureInfo.InvariantCulture, out BigInteger b)
        && a < b && Rational.Of(a, b) is Rational value && !Current.Is('^')
            ? new Number(value, false)
            : Back(start);

    private Number? Back(int start)
    {
        _at = _failed ? _at : start;
        return null;
    }
}
