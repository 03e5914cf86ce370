using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Numerics;

/// <summary>
/// Evaluates a scalar expression at one point, at one precision. Functions that it does not know get a value that depends on their name and the values of
/// their arguments alone: equal arguments give equal values, and nothing else is known of them.
/// </summary>
/// <param name="point">Values of the symbols.</param>
/// <param name="precision">Bits.</param>
/// <param name="logBase10">A bare log is to base 10, not natural.</param>
/// <param name="complex">The imaginary unit occurs: roots and powers of negative numbers are the principal ones.</param>
internal sealed partial class Evaluator(IReadOnlyDictionary<string, ComplexBall> point, int precision, bool logBase10, bool complex, Budget budget)
{
    /// <summary>A divisor, or the argument of a logarithm, may be 0: at ever higher precision that means that it is.</summary>
    public bool Singular { get; private set; }

    /// <summary>A value is too large for the evaluator, or the budget is spent.</summary>
    public bool TooLarge { get; private set; }

    /// <summary>Sum of |log2| of the intermediate values: how deep a difference may hide.</summary>
    public double Depth { get; private set; }

    public ComplexBall Evaluate(Expr expr)
    {
        if (TooLarge || !budget.Spend(Budget.Arithmetic(precision)))
        {
            TooLarge = true;
            return ComplexBall.Unknown;
        }

        ComplexBall value = Value(expr);
        double magnitude = Math.Abs(value.Magnitude);
        if (magnitude > 32 && !double.IsInfinity(magnitude) && !value.IsUnknown && !value.MayBeZero)
        {
            Depth += magnitude;
        }

        return value;
    }

    private ComplexBall Value(Expr expr)
    {
        switch (expr)
        {
            case Number number:
                return Ball.Of(number.Value, precision);
            case Symbol symbol:
                return point.TryGetValue(symbol.Name, out ComplexBall at) ? at : ComplexBall.Unknown;
            case Constant constant:
                return ConstantValue(constant.Kind);
            case Sum sum:
                ComplexBall total = ComplexBall.Zero;
                foreach (Expr term in sum.Terms)
                {
                    total = ComplexBall.Add(total, Evaluate(term), precision);
                }

                return total;
            case Product product:
                ComplexBall result = ComplexBall.One;
                foreach (Expr factor in product.Factors)
                {
                    result = factor is Power { Exponent: Number { Value: var exponent } } inverse && exponent == Rational.MinusOne
                        ? Quotient(result, Evaluate(inverse.Base))
                        : ComplexBall.Multiply(result, Evaluate(factor), precision);
                }

                return result;
            case Power power:
                return PowerValue(power);
            case Root root:
                return RootValue(root);
            case Percent percent:
                return ComplexBall.Divide(Evaluate(percent.Value), Ball.Of(100), precision);
            case Quantity quantity:
                return Evaluate(quantity.Value);
            case Call call:
                return CallValue(call);
            default:
                return Opaque("structure", [expr]);
        }
    }

    private ComplexBall ConstantValue(ConstantKind kind) => kind switch
    {
        ConstantKind.Pi => Elementary.Pi(precision),
        ConstantKind.E => Elementary.Exp(Ball.One, precision),
        ConstantKind.I => ComplexBall.I,
        ConstantKind.Degree => Ball.Divide(Elementary.Pi(precision + 16), Ball.Of(180), precision),
        _ => ComplexBall.Unknown,
    };

    private ComplexBall Quotient(ComplexBall a, ComplexBall b)
    {
        if (!b.IsUnknown && b.MayBeZero)
        {
            Singular = true;
            return ComplexBall.Unknown;
        }

        return ComplexBall.Divide(a, b, precision);
    }

    private ComplexBall PowerValue(Power power)
    {
        if (power.Base is Constant { Kind: ConstantKind.E })
        {
            if (!Afford(Budget.Function(precision)))
            {
                return ComplexBall.Unknown;
            }

            return Large(ComplexBall.Exp(Evaluate(power.Exponent), precision));
        }

        ComplexBall value = Evaluate(power.Base);
        if (power.Exponent is Number { Value: { IsInteger: false } fraction } && fraction.Denominator < 1000)
        {
            int index = (int)fraction.Denominator;
            ComplexBall root = RootOf(value, index);
            return IntegerPower(root, fraction.Numerator);
        }

        ComplexBall exponent = Evaluate(power.Exponent);
        if (value.IsUnknown || exponent.IsUnknown)
        {
            return ComplexBall.Unknown;
        }

        if (exponent.IsReal && exponent.Re.IsExact && IsInteger(exponent.Re, out BigInteger n))
        {
            return IntegerPower(value, n);
        }

        if (value.MayBeZero)
        {
            Singular |= exponent.Re.Sign <= 0;
            return value.Re.IsExactZero && value.IsReal && exponent.Re.Sign > 0 ? ComplexBall.Zero : ComplexBall.Unknown;
        }

        if (!Afford(4 * Budget.Function(precision)))
        {
            return ComplexBall.Unknown;
        }

        return Large(ComplexBall.Exp(ComplexBall.Multiply(exponent, ComplexBall.Log(value, precision + 32), precision + 32), precision));
    }

    /// <summary>Pays for an operation before it is begun; one that is too dear makes the whole too large.</summary>
    private bool Afford(long cost)
    {
        bool affordable = budget.Spend(cost);
        TooLarge |= !affordable;
        return affordable;
    }

    /// <summary>Notes that a value is beyond the evaluator.</summary>
    private ComplexBall Large(ComplexBall value)
    {
        TooLarge |= value.IsUnknown && !Singular;
        return value;
    }

    private ComplexBall IntegerPower(ComplexBall value, BigInteger n)
    {
        if (value.IsUnknown)
        {
            return value;
        }

        if (n.Sign <= 0 && value.MayBeZero)
        {
            Singular = true;
            return ComplexBall.Unknown;
        }

        if (BigInteger.Abs(n) > long.MaxValue / 4 || (Math.Abs(value.Magnitude) + 1) * (double)BigInteger.Abs(n) > 1e12)
        {
            TooLarge = true;
            return ComplexBall.Unknown;
        }

        var exponent = (long)n;
        if (!Afford(2 * n.GetBitLength() * Budget.Arithmetic(precision)))
        {
            return ComplexBall.Unknown;
        }

        if (value.IsReal)
        {
            return Ball.Power(value.Re, exponent, precision);
        }

        ComplexBall result = ComplexBall.One;
        ComplexBall factor = value;
        for (ulong k = (ulong)Math.Abs(exponent); k > 0; k >>= 1)
        {
            result = (k & 1) == 1 ? ComplexBall.Multiply(result, factor, precision) : result;
            factor = k > 1 ? ComplexBall.Multiply(factor, factor, precision) : factor;
        }

        return exponent < 0 ? Quotient(ComplexBall.One, result) : result;
    }

    private ComplexBall RootValue(Root root)
    {
        ComplexBall radicand = Evaluate(root.Radicand);
        if (root.Index is Number { Value: { IsInteger: true, Sign: > 0 } index } && index.Numerator < 1000)
        {
            return RootOf(radicand, (int)index.Numerator);
        }

        ComplexBall n = Evaluate(root.Index);
        return radicand.MayBeZero ? ComplexBall.Unknown
            : ComplexBall.Exp(Quotient(ComplexBall.Log(radicand, precision + 32), n), precision);
    }

    private ComplexBall RootOf(ComplexBall value, int index)
    {
        if (!Afford(index == 2 ? 4 * Budget.Arithmetic(precision) : 4 * Budget.Function(precision)))
        {
            return ComplexBall.Unknown;
        }

        if (value.IsUnknown || index == 1)
        {
            return value;
        }

        if (index == 2)
        {
            return ComplexBall.SquareRoot(value, precision);
        }

        if (value.IsReal && value.Re.MayBeZero)
        {
            return value.Re.IsExactZero ? ComplexBall.Zero : new Ball(BigInteger.Zero, 0, value.Re.Bound / index);
        }

        if (value.IsReal && value.Re.Sign < 0 && index % 2 == 1 && !complex)
        {
            return -RootOf(-value.Re, index);
        }

        ComplexBall logarithm = ComplexBall.Log(value, precision + 32);
        return ComplexBall.Exp(ComplexBall.Divide(logarithm, Ball.Of(index), precision + 32), precision);
    }
}
