using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Equivalence;

/// <summary>Functions' values where they are exact.</summary>
internal static partial class Simplifier
{
    private static Expr SimplifyCall(Call call)
    {
        if (call.Applied && call.Arguments.Length == 1 && !ExpressionParser.IsFunctionName(call.Name))
        {
            return Simplify(new Product([new Symbol(call.Name), call.Arguments[0]]));
        }

        if (call.Name is @"\sum" or @"\prod" or @"\lim" && Bound(call) is Call renamed)
        {
            call = renamed;
        }

        ImmutableArray<Expr> arguments = All(call.Arguments);
        if (arguments.Any(IsUndefined))
        {
            return Constant.Undefined;
        }

        if (call.Name == "det" || (call.Name == "abs" && arguments is [Matrix]))
        {
            return arguments is [Matrix matrix] ? MatrixAlgebra.Determinant(matrix) is Expr value ? Simplify(value) : Constant.Undefined : call with { Arguments = arguments };
        }

        if (arguments.All(argument => argument is Number))
        {
            Number[] numbers = [.. arguments.Cast<Number>()];
            Rational? result = Exact(call.Name, numbers);
            if (result is Rational exact)
            {
                return new Number(exact, call.Name is "abs" or "min" or "max" && numbers.Any(number => number.IsDecimal));
            }

            if ((call.Name == "ln" || call.Name == "log") && numbers is [{ Value.IsZero: true }])
            {
                return Constant.Undefined;
            }

            if (call.Name is "factorial" && (numbers[0].Value.Sign < 0 || !numbers[0].Value.IsInteger))
            {
                return Constant.Undefined;
            }
        }

        return call with { Arguments = arguments };
    }

    /// <summary>A sum, product or limit with its bound variable under a name of its own; null if it has none, or has been renamed.</summary>
    private static Call? Bound(Call call)
    {
        if (call.Arguments is not [Call { Name: "from", Arguments: [Relation { Operands: [Symbol { Name: [not '#', ..] } variable, _], Signs: [var sign] } start] } below, .., var body]
            || (sign.Kind != RelationKind.Equal && sign.Name is not ("to" or "rightarrow")))
        {
            return null;
        }

        // Inner ones are renamed first, so that the next free number is the depth.
        body = Simplify(body);
        SortedSet<string> names = ExpressionTree.Symbols(body);
        int depth = 1;
        while (depth < 100 && names.Any(name => name.Contains("#b" + depth.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)))
        {
            depth++;
        }

        var own = new Symbol("#b" + depth.ToString(CultureInfo.InvariantCulture));
        body = ExpressionTree.Substitute(body, symbol => symbol == variable ? own : Indexed(symbol, variable.Name, own.Name));
        return call with { Arguments = [below with { Arguments = [start with { Operands = [own, start.Operands[1]] }] }, .. call.Arguments[1..^1], body] };
    }

    /// <summary>a_k with another index: the bound variable may stand in a subscript.</summary>
    private static Symbol Indexed(Symbol symbol, string variable, string own)
    {
        int subscript = symbol.Name.IndexOf('_', StringComparison.Ordinal);
        return subscript < 0 || symbol.Name.IndexOf(variable, subscript, StringComparison.Ordinal) < 0 ? symbol
            : new Symbol(symbol.Name[..subscript] + symbol.Name[subscript..].Replace(variable, own, StringComparison.Ordinal));
    }

    private static Rational? Exact(string name, Number[] numbers)
    {
        switch (name)
        {
            case "abs" when numbers.Length == 1:
                return numbers[0].Value.Sign < 0 ? -numbers[0].Value : numbers[0].Value;
            case "floor" when numbers.Length == 1:
                return new Rational(numbers[0].Value.Floor());
            case "ceil" when numbers.Length == 1:
                return new Rational(-(-numbers[0].Value).Floor());
            case "sgn" when numbers.Length == 1:
                return new Rational(numbers[0].Value.Sign);
            case "min" or "max" when numbers.Length > 0:
                int sign = name == "max" ? 1 : -1;
                return numbers.Select(number => number.Value).Aggregate((best, next) => Rational.Compare(next, best) == sign ? next : best);
            default:
                return numbers.All(number => number.Value.IsInteger) && IntegerFunctions.Apply(name, [.. numbers.Select(number => number.Value.Numerator)]) is BigInteger result
                    && result.GetBitLength() < Rational.MaxBits ? new Rational(result) : null;
        }
    }
}
