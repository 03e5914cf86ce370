using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Degrees, with minutes and seconds or as a temperature.</summary>
internal sealed partial class ExpressionParser
{
    /// <summary>What a degree sign makes of the value before it: an angle, or with C or F behind it a temperature.</summary>
    private Expr Degrees(Expr value)
    {
        if (value is not Number { Value: var degrees })
        {
            return new Product([value, new Constant(ConstantKind.Degree)]);
        }

        if (Current is { Kind: TokenKind.Letter or TokenKind.Text } && Current.Text.Trim(' ', '~') is "C" or "F" && Next.Kind != TokenKind.Letter)
        {
            return new Quantity(value, Take().Text.Trim(' ', '~'));
        }

        Rational? angle = degrees;
        for (int part = 1; part <= 2 && Current.Kind == TokenKind.Number && PrimesAt(_at + 1) is (int primes, int end) && primes == part; part++)
        {
            // Minutes are sixtieths of a degree, seconds of a minute.
            Rational? share = ReadNumber(Take().Text) is Number number ? Rational.Divide(number.Value, new Rational(part == 1 ? 60 : 3600)) : null;
            angle = share is Rational more && angle is Rational sum ? Rational.Add(sum, more) : null;
            _at = end;
        }

        return angle is Rational total ? new Product([new Number(total, value is Number { IsDecimal: true }), new Constant(ConstantKind.Degree)]) : Fail();
    }

    /// <summary>Primes at an index, as signs or raised, and where they end.</summary>
    private (int Count, int End)? PrimesAt(int at)
    {
        bool raised = at < _tokens.Count && _tokens[at].Is('^');
        at += raised ? 1 : 0;
        bool braced = raised && at < _tokens.Count && _tokens[at].Is('{');
        at += braced ? 1 : 0;
        int count = 0;
        while (at < _tokens.Count && count < 2 && (_tokens[at].Is('\'') || _tokens[at].Is('"') || _tokens[at].Is('″') || _tokens[at].IsCommand("prime")))
        {
            count += _tokens[at].Is('"') || _tokens[at].Is('″') ? 2 : 1;
            at++;
        }

        return count == 0 || (braced && !_tokens[Math.Min(at, _tokens.Count - 1)].Is('}')) ? null : (count, at + (braced ? 1 : 0));
    }
}
