using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>
/// Carries out what is exact: arithmetic of rational numbers, infinities and matrices, whole-number functions. Everything else stays as it is written.
/// Whatever is undefined becomes <see cref="Constant.Undefined"/> as a whole. The sides of a relation are left alone: a name may look like a product.
/// </summary>
internal static partial class Simplifier
{
    public static Expr Simplify(Expr expr) => expr switch
    {
        Sum sum => SimplifySum(sum.Terms),
        Product product => SimplifyProduct(product.Factors),
        Power power => SimplifyPower(Simplify(power.Base), power.Base, power.Exponent),
        Root root => SimplifyRoot(Simplify(root.Radicand), Simplify(root.Index)),
        Call call => SimplifyCall(call),
        PlusMinus pair => pair with { Left = Simplify(pair.Left), Right = Simplify(pair.Right) },
        Percent percent => Simplify(percent.Value) is var value && value is Percent or Quantity ? Constant.Undefined : new Percent(value),
        Quantity quantity => quantity with { Value = Simplify(quantity.Value) },
        Sequence sequence => sequence with { Items = All(sequence.Items) },
        SetOperation operation => operation with { Left = Simplify(operation.Left), Right = Simplify(operation.Right) },
        Matrix matrix => new Matrix([.. matrix.Rows.Select(row => All(row))]),
        Ratio ratio => ratio with { Parts = All(ratio.Parts) },
        SetBuilder builder => new SetBuilder(Simplify(builder.Element), Simplify(builder.Condition)),
        _ => expr,
    };

    private static ImmutableArray<Expr> All(ImmutableArray<Expr> parts) => [.. parts.Select(Simplify)];

    private static bool IsUndefined(Expr expr) => expr is Constant { Kind: ConstantKind.Undefined };

    private static bool IsInfinity(Expr expr) => expr is Constant { Kind: ConstantKind.Infinity };

    /// <summary>+1 for ∞, −1 for −∞, 0 for anything else.</summary>
    internal static int InfinitySign(Expr expr) => expr switch
    {
        Constant { Kind: ConstantKind.Infinity } => 1,
        Product { Factors: [Number { Value.Sign: < 0 }, Constant { Kind: ConstantKind.Infinity }] } => -1,
        _ => 0,
    };

    private static Expr SignedInfinity(int sign) => sign > 0 ? Constant.Infinity : new Product([Expr.MinusOne, Constant.Infinity]);

    private static Expr SimplifySum(ImmutableArray<Expr> terms)
    {
        Rational total = Rational.Zero;
        bool isDecimal = false;
        int infinity = 0;
        Matrix? matrix = null;
        bool scalars = false;
        var rest = new List<Expr>();
        foreach (Expr term in Flatten(terms, simple => (simple as Sum)?.Terms))
        {
            Expr value = term is Quantity quantity ? quantity.Value : term;
            int sign = InfinitySign(value);
            if (IsUndefined(value) || (infinity != 0 && sign == -infinity))
            {
                return Constant.Undefined;
            }

            if (sign != 0)
            {
                infinity = sign;
            }
            else if (value is Matrix next)
            {
                matrix = matrix is null ? next : MatrixAlgebra.Add(matrix, next);
                if (matrix is null)
                {
                    return Constant.Undefined;
                }
            }
            else if (value is Number number && Rational.Add(total, number.Value) is Rational sum)
            {
                total = sum;
                isDecimal |= number.IsDecimal;
                scalars |= !number.Value.IsZero;
            }
            else
            {
                scalars = true;
                rest.Add(value);
            }
        }

        if (infinity != 0)
        {
            return SignedInfinity(infinity);
        }

        if (matrix is not null)
        {
            return scalars ? Constant.Undefined : matrix;
        }

        if (!total.IsZero || rest.Count == 0 || isDecimal)
        {
            rest.Add(new Number(total, isDecimal));
        }

        return rest.Count == 1 ? rest[0] : new Sum([.. rest]);
    }

    /// <summary>The operands simplified, those of an inner sum (or product) in its place.</summary>
    private static IEnumerable<Expr> Flatten(ImmutableArray<Expr> operands, Func<Expr, ImmutableArray<Expr>?> inner) =>
        operands.Select(Simplify).SelectMany(simple => inner(simple) ?? [simple]);

    private static Expr SimplifyProduct(ImmutableArray<Expr> factors)
    {
        Rational total = Rational.One;
        bool isDecimal = false;
        int infinity = 0;
        bool percent = false;
        string? unit = null;
        Matrix? matrix = null;
        var rest = new List<Expr>();
        foreach (Expr factor in Flatten(factors, simple => (simple as Product)?.Factors))
        {
            Expr value = factor;
            if (value is Quantity quantity)
            {
                unit = unit is null ? quantity.Unit : "";
                value = quantity.Value;
            }

            if (value is Percent share && !percent)
            {
                percent = true;
                value = share.Value;
            }

            int sign = InfinitySign(value);
            if (IsUndefined(value))
            {
                return Constant.Undefined;
            }

            if (sign != 0)
            {
                infinity = infinity == 0 ? sign : infinity * sign;
            }
            else if (value is Matrix next)
            {
                matrix = matrix is null ? next : MatrixAlgebra.Multiply(matrix, next);
                if (matrix is null)
                {
                    return Constant.Undefined;
                }
            }
            else if (value is Number number && Rational.Multiply(total, number.Value) is Rational product)
            {
                total = product;
                isDecimal |= number.IsDecimal;
            }
            else
            {
                rest.Add(value);
            }
        }

        Expr result;
        if (infinity != 0)
        {
            result = total.IsZero || matrix is not null ? Constant.Undefined : rest.Count == 0 ? SignedInfinity(infinity * total.Sign) : new Product([.. rest, SignedInfinity(infinity * total.Sign)]);
        }
        else if (rest.Count == 0)
        {
            result = new Number(total, isDecimal);
        }
        else
        {
            // 0 · x is 0 only where x is defined: it keeps its factors, and the comparison looks.
            result = total.IsOne && !isDecimal ? (rest.Count == 1 ? rest[0] : new Product([.. rest])) : new Product([new Number(total, isDecimal), .. rest]);
        }

        result = matrix is null ? result : MatrixAlgebra.Scale(matrix, result);
        result = percent ? new Percent(result) : result;
        return unit is { Length: > 0 } ? new Quantity(result, unit) : result;
    }

    private static Expr SimplifyPower(Expr value, Expr written, Expr exponentWritten)
    {
        if (value is Matrix matrix)
        {
            return exponentWritten is Symbol { Name: "T" } ? MatrixAlgebra.Transpose(matrix)
                : Simplify(exponentWritten) is Number { Value: { IsInteger: true, Sign: > 0 } times } && times.Numerator <= 64 ? MatrixAlgebra.Power(matrix, (int)times.Numerator)
                : Simplify(exponentWritten) is Number { Value: var inverse } && inverse == Rational.MinusOne && MatrixAlgebra.Inverse(matrix) is Matrix inverted ? inverted
                : Constant.Undefined;
        }

        if (value is Sequence { Open: Bracket.Round or Bracket.Square or Bracket.Angle } row && exponentWritten is Symbol { Name: "T" })
        {
            return new Matrix([.. row.Items.Select(entry => ImmutableArray.Create(entry))]);
        }

        Expr exponent = Simplify(exponentWritten);
        if (IsUndefined(value) || IsUndefined(exponent))
        {
            return Constant.Undefined;
        }

        if (value is Percent or Quantity)
        {
            value = value is Percent share ? Simplify(Expr.Divide(share.Value, Expr.Of(100))) : ((Quantity)value).Value;
        }

        if (InfinitySign(value) != 0)
        {
            return exponent is Number power ? (power.Value.Sign < 0 ? Expr.Zero : power.Value.Sign == 0 ? Constant.Undefined : InfinitySign(value) > 0 ? value : new Power(value, exponent)) : new Power(value, exponent);
        }

        if (exponent is not Number { Value: var n, IsDecimal: var decimalExponent })
        {
            return new Power(value, exponent);
        }

        if (value is Number { Value: var a } number)
        {
            if (a.IsZero && n.Sign <= 0)
            {
                return Constant.Undefined;
            }

            if (n.IsInteger)
            {
                return Rational.Power(a, n.Numerator) is Rational result ? new Number(result, number.IsDecimal) : new Power(value, exponent);
            }

            if (n.Denominator < 100 && Rational.Root(a, (int)n.Denominator) is Rational root && Rational.Power(root, n.Numerator) is Rational power)
            {
                return new Number(power, number.IsDecimal || decimalExponent);
            }
        }

        if (value is Constant { Kind: ConstantKind.I } && n.IsInteger)
        {
            return (int)(((n.Numerator % 4) + 4) % 4) switch
            {
                0 => Expr.One,
                1 => value,
                2 => Expr.MinusOne,
                _ => new Product([Expr.MinusOne, value]),
            };
        }

        return n.IsOne ? value : n.IsZero && value is Symbol or Constant ? Expr.One : new Power(value, exponent);
    }

    private static Expr SimplifyRoot(Expr radicand, Expr index)
    {
        if (IsUndefined(radicand) || IsUndefined(index) || index is Number { Value: { Sign: <= 0 } or { IsInteger: false } })
        {
            return Constant.Undefined;
        }

        radicand = radicand is Quantity quantity ? quantity.Value : radicand;
        if (IsInfinity(radicand))
        {
            return radicand;
        }

        return radicand is Number number && index is Number { Value: { IsInteger: true } n } && n.Numerator < 100 && Rational.Root(number.Value, (int)n.Numerator) is Rational root
            ? new Number(root, number.IsDecimal)
            : new Root(radicand, index);
    }
}
