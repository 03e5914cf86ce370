using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Named functions and their arguments.</summary>
internal sealed partial class ExpressionParser
{
    private Expr Function(string function)
    {
        if (function == "sqrt")
        {
            return Current.Kind == TokenKind.Number ? new Root(Operand(), Expr.Of(2)) : SquareRoot();
        }

        if (function == "cbrt")
        {
            return new Root(Operand(), Expr.Of(3));
        }

        Expr? logarithmBase = null;
        Expr? power = null;
        for (int i = 0; i < 2; i++)
        {
            if (function == "log" && logarithmBase is null && Current.Is('_'))
            {
                _at++;
                logarithmBase = Current.Is('(') ? Operand() : Current.Kind == TokenKind.Number ? Operand() : Argument();
            }
            else if (function == "log" && logarithmBase is null && Current.Kind == TokenKind.Subscript)
            {
                logarithmBase = Parse(Take().Text, 3) ?? Fail();
            }
            else if (power is null && Current.Is('^'))
            {
                _at++;
                power = Current.Is('{') ? Argument() : SignedExponent();
            }
            else if (power is null && Current.Kind == TokenKind.Superscript)
            {
                power = Parse(Take().Text, 3) ?? Fail();
            }
        }

        if (function is "max" or "min" && Current.Is('_'))
        {
            return Fail();
        }

        ImmutableArray<Expr> arguments = FunctionArguments(function);
        if (_failed || arguments.Length == 0)
        {
            return Fail();
        }

        bool inverse = power is Number { Value: var exponent } && exponent == Rational.MinusOne && InverseOf(function) is not null;
        Expr call = function switch
        {
            _ when inverse => new Call(InverseOf(function)!, arguments),
            "exp" when arguments.Length == 1 => new Power(new Constant(ConstantKind.E), arguments[0]),
            "log" when logarithmBase is not null && arguments.Length == 1 => Expr.Divide(new Call("ln", arguments), new Call("ln", [logarithmBase])),
            "log" when arguments.Length == 2 => Expr.Divide(new Call("ln", [arguments[0]]), new Call("ln", [arguments[1]])),
            "cis" when arguments.Length == 1 => new Power(new Constant(ConstantKind.E), new Product([new Constant(ConstantKind.I), arguments[0]])),
            "lg" when arguments.Length == 1 => Expr.Divide(new Call("ln", arguments), new Call("ln", [Expr.Of(10)])),
            "lb" when arguments.Length == 1 => Expr.Divide(new Call("ln", arguments), new Call("ln", [Expr.Of(2)])),
            _ => new Call(function, arguments),
        };
        return power is null || inverse ? call : new Power(call, power);
    }

    private static string? InverseOf(string function) => function switch
    {
        "sin" => "arcsin",
        "cos" => "arccos",
        "tan" => "arctan",
        "cot" => "arccot",
        "sec" => "arcsec",
        "csc" => "arccsc",
        "sinh" => "arsinh",
        "cosh" => "arcosh",
        "tanh" => "artanh",
        _ => null,
    };

    /// <summary>
    /// f(x, y), f{x}, f|x| or f x. Without brackets the argument is the product behind it, up to a sign, a slash or the next function: sin 2x cos y is
    /// (sin 2x)(cos y).
    /// </summary>
    private ImmutableArray<Expr> FunctionArguments(string function)
    {
        if (Current.Is('(') || Current.Is('{') || Current.Is('['))
        {
            Expr bracket = Bracketed();
            return bracket is Sequence { Items: var items, Open: not Bracket.Brace } ? items : [bracket];
        }

        if (Current.IsCommand("{"))
        {
            return Operand() is Sequence { Items: var elements } ? elements : [];
        }

        bool negative = TakeIf('-');
        var factors = new List<Expr>();
        while (!_failed && (factors.Count == 0 || (StartsFactor(Current) && !Current.Wide && !IsFunction(Current) && !Current.Is('|'))))
        {
            if (factors.Count > 0 && Current.Is('('))
            {
                break;
            }

            factors.Add(PowerExpression());
        }

        if (_failed || factors.Any(factor => factor is Words) || function is "min" or "max" or "gcd" or "lcm" or "binomial")
        {
            Fail();
            return [];
        }

        Expr argument = ProductOf(factors);
        return [negative ? Expr.Negate(argument) : argument];
    }

    private static bool IsFunction(Token token) =>
        token.Kind is TokenKind.Command or TokenKind.Name && Vocabulary.FunctionOf(token.Text) is not null && token.Text is not ("sqrt" or "cbrt");
}
