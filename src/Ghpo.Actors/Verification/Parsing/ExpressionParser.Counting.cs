using System.Globalization;
using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Combinations and permutations in the notations that put their numbers around a letter.</summary>
internal sealed partial class ExpressionParser
{
    /// <summary>{}_{n}C_{k}, _nC_k, {}^nC_k, and the same with P.</summary>
    private Expr Prescript()
    {
        if (Current.Is('{'))
        {
            _at += 2;
        }

        _at++;
        Expr n = Argument();
        string letter = Current.Kind == TokenKind.Letter ? Take().Text : "";
        return letter is "C" or "P" && TakeIf('_') ? Choices(letter, n, Argument()) : Fail();
    }

    private bool IsPrescript() =>
        Current.Is('_') || Current.Is('^') || (Current.Is('{') && Next.Is('}') && _at + 2 < _tokens.Count && (_tokens[_at + 2].Is('_') || _tokens[_at + 2].Is('^')));

    /// <summary>10C3 behind its first number; null if no such thing stands there, or the digits are in another base.</summary>
    private Expr? InlineChoice(Number n)
    {
        if (Current is not { Kind: TokenKind.Letter, Text: "C" or "P", Spaced: false } || Next is not { Kind: TokenKind.Number, Spaced: false } || !Next.Text.All(char.IsAsciiDigit)
            || _tokens[Math.Min(_at + 2, _tokens.Count - 1)] is { Kind: TokenKind.Letter or TokenKind.Subscript } or { Kind: TokenKind.Sign, Text: "_" })
        {
            return null;
        }

        string letter = Take().Text;
        return Choices(letter, n, new Number(new Rational(BigInteger.Parse(Take().Text, NumberStyles.None, CultureInfo.InvariantCulture)), false));
    }

    /// <summary>C_{10}^3 behind its subscript: the larger number is what is chosen from. Null if it is an indexed name to a power.</summary>
    private Call? SubscriptChoice(string name)
    {
        int start = _at;
        if (name.Length < 3 || !name.StartsWith("C_", StringComparison.Ordinal) || name.Length > 6 || !int.TryParse(name.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int below)
            || below < 3 || !TakeIf('^'))
        {
            _at = start;
            return null;
        }

        if (Argument() is Number { Value: { IsInteger: true } above } && above.Numerator > 1 && !_failed)
        {
            return new Call("binomial", [new Number(new Rational(BigInteger.Max(below, above.Numerator)), false), new Number(new Rational(BigInteger.Min(below, above.Numerator)), false)]);
        }

        _at = _failed ? _at : start;
        return null;
    }

    /// <summary>n! / (k! (n − k)!), or without k! where the order counts.</summary>
    private static Expr Choices(string letter, Expr n, Expr k) =>
        letter == "C" ? new Call("binomial", [n, k]) : Expr.Divide(new Call("factorial", [n]), new Call("factorial", [Expr.Subtract(n, k)]));
}
