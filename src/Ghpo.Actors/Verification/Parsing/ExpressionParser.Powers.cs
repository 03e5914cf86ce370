using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Powers and what else stands behind an operand.</summary>
internal sealed partial class ExpressionParser
{
    private Expr PowerExpression()
    {
        if (!Enter())
        {
            return Fail();
        }

        Expr value = Postfixes(Operand());
        Leave();
        return value;
    }

    private Expr Postfixes(Expr value)
    {
        int postfixes = 0;
        while (!_failed)
        {
            Token token = Current;
            if (++postfixes > 20)
            {
                value = Fail();
            }
            else if (token.Is('^') || (token.Is('*') && Next.Is('*') && !Next.Spaced))
            {
                _at += token.Is('^') ? 1 : 2;
                value = Raise(value);
            }
            else if (token.Kind == TokenKind.Superscript)
            {
                _at++;
                value = Parse(token.Text, 3) is Expr exponent ? new Power(value, exponent) : Fail();
            }
            else if (token.IsCommand("degree"))
            {
                _at++;
                value = Degrees(value);
            }
            else if (token.Is('!') && !Next.Is('='))
            {
                _at++;
                bool twice = TakeIf('!');
                value = new Call(twice ? "doublefactorial" : "factorial", [value]);
            }
            else if (token.Is('%'))
            {
                _at++;
                value = value is Percent ? Fail() : new Percent(value);
            }
            else
            {
                break;
            }
        }

        return value;
    }

    /// <summary>Reads an exponent, or a degree sign in its place.</summary>
    private Expr Raise(Expr value)
    {
        bool braced = Current.Is('{');
        Token sign = braced ? Next : Current;
        if (sign.Kind == TokenKind.Command && sign.Text is "circ" or "degree" && (!braced || _tokens[Math.Min(_at + 2, _tokens.Count - 1)].Is('}')))
        {
            _at += braced ? 3 : 1;
            return Degrees(value);
        }

        if (value is Number && sign is { Kind: TokenKind.Letter or TokenKind.Text, Text: "o" } && (!braced || _tokens[Math.Min(_at + 2, _tokens.Count - 1)].Is('}')))
        {
            // 30^o: a letter in the place of the ring.
            _at += braced ? 3 : 1;
            return Degrees(value);
        }

        Expr exponent = braced ? Argument() : Current.Is('(') ? Operand() : SignedExponent();
        return new Power(value, exponent);
    }

    private Expr SignedExponent()
    {
        bool negative = TakeIf('-');

        // 2^n(n − 1): TeX raises the letter alone.
        bool letter = Current is { Kind: TokenKind.Letter, Text: not ("e" or "i") } && Next.Is('(') && !IsFunctionName(Current.Text);
        Expr exponent = letter ? new Symbol(Take().Text) : Operand();
        if (Current.Is('^') && !_failed)
        {
            _at++;
            exponent = Enter() ? Raise(exponent) : Fail();
            Leave();
        }

        return negative ? Expr.Negate(exponent) : exponent;
    }
}
