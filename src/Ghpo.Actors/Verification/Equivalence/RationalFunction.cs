using System.Numerics;
using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;

namespace Ghpo.Verification.Equivalence;

/// <summary>
/// Above/Below, polynomials in the symbols, π, e, i and square roots of primes. Two expressions that have this form are equal exactly if the cross products
/// are the same polynomial: √2, √3, √5, …, i are linearly independent over the rational numbers and whatever is free. Removable singularities do not count.
/// </summary>
internal sealed class RationalFunction
{
    private const int MaxPower = 60;
    private const int LargestTrialDivisor = 1_000;

    private RationalFunction(Polynomial above, Polynomial below)
    {
        Above = above;
        Below = below;
    }

    public Polynomial Above { get; }

    public Polynomial Below { get; }

    /// <returns>Null if one of them has no such form, or is beyond the caps. False also if one of them divides by 0.</returns>
    public static bool? Equal(Expr a, Expr b, Budget budget)
    {
        var generators = new Generators(budget.Share());
        if (Of(a, generators) is not RationalFunction x || Of(b, generators) is not RationalFunction y)
        {
            return null;
        }

        if (x.Below.IsZero || y.Below.IsZero)
        {
            return false;
        }

        if (Polynomial.Multiply(x.Above, y.Below, generators) is not Polynomial left || Polynomial.Multiply(y.Above, x.Below, generators) is not Polynomial right
            || Polynomial.Add(left, right, subtract: true) is not Polynomial difference)
        {
            return null;
        }

        return difference.IsZero ? true : generators.HasPiAndE ? null : false;
    }

    private static RationalFunction? Of(Expr expr, Generators generators)
    {
        switch (expr)
        {
            case Number number:
                return Rational.Bits(number.Value) > 2_000 ? null : new RationalFunction(Polynomial.Of(number.Value), Polynomial.Of(Rational.One));
            case Symbol symbol:
                return OfGenerator(generators.Of(symbol.Name));
            case Constant { Kind: ConstantKind.Pi }:
                return OfGenerator(generators.Of("#pi"));
            case Constant { Kind: ConstantKind.E }:
                return OfGenerator(generators.Of("#e"));
            case Constant { Kind: ConstantKind.I }:
                return OfGenerator(generators.Of("#i", Rational.MinusOne));
            case Constant { Kind: ConstantKind.Degree }:
                return Multiply(OfGenerator(generators.Of("#pi")), new RationalFunction(Polynomial.Of(Rational.Of(1, 180)!.Value), Polynomial.Of(Rational.One)), generators);
            case Sum sum:
                return Fold(sum.Terms, Add, generators);
            case Product product:
                return Fold(product.Factors, Multiply, generators);
            case Percent percent:
                return Of(Expr.Divide(percent.Value, Expr.Of(100)), generators);
            case Power { Exponent: Number { Value: { IsInteger: true } n } } power when BigInteger.Abs(n.Numerator) <= MaxPower:
                return Of(power.Base, generators) is RationalFunction value ? Raise(value, (int)n.Numerator, generators) : null;
            case Power { Base: Number { Value: var radicand }, Exponent: Number { Value: var half } } when half == Rational.Of(1, 2):
                return SquareRoot(radicand, generators);
            case Root { Radicand: Number { Value: var radicand }, Index: Number { Value: { IsInteger: true } index } } when index.Numerator == 2:
                return SquareRoot(radicand, generators);
            default:
                return null;
        }
    }

    private static RationalFunction OfGenerator(int generator) => new(Polynomial.OfGenerator(generator), Polynomial.Of(Rational.One));

    private static RationalFunction? Fold(IReadOnlyList<Expr> parts, Func<RationalFunction, RationalFunction, Generators, RationalFunction?> combine, Generators generators)
    {
        RationalFunction? result = null;
        foreach (Expr part in parts)
        {
            if (Of(part, generators) is not RationalFunction next)
            {
                return null;
            }

            result = result is null ? next : combine(result, next, generators);
            if (result is null)
            {
                return null;
            }
        }

        return result;
    }

    private static RationalFunction? Add(RationalFunction a, RationalFunction b, Generators generators)
    {
        if (a.Below.IsOne && b.Below.IsOne)
        {
            return Polynomial.Add(a.Above, b.Above) is Polynomial sum ? new RationalFunction(sum, a.Below) : null;
        }

        return Polynomial.Multiply(a.Above, b.Below, generators) is Polynomial left && Polynomial.Multiply(b.Above, a.Below, generators) is Polynomial right
            && Polynomial.Add(left, right) is Polynomial above && Polynomial.Multiply(a.Below, b.Below, generators) is Polynomial below
            ? new RationalFunction(above, below)
            : null;
    }

    private static RationalFunction? Multiply(RationalFunction a, RationalFunction b, Generators generators) =>
        Polynomial.Multiply(a.Above, b.Above, generators) is Polynomial above && Polynomial.Multiply(a.Below, b.Below, generators) is Polynomial below
            ? new RationalFunction(above, below)
            : null;

    private static RationalFunction? Raise(RationalFunction value, int n, Generators generators)
    {
        if (n < 0)
        {
            // 1/0 stays visible as a denominator of 0.
            value = new RationalFunction(value.Below, value.Above);
        }

        RationalFunction? result = new(Polynomial.Of(Rational.One), Polynomial.Of(Rational.One));
        for (int i = 0; i < Math.Abs(n) && result is not null; i++)
        {
            result = Multiply(result, value, generators);
        }

        return result;
    }

    /// <summary>√(a/b) = √(ab)/b as a product of square roots of primes; null if the number has a large factor that is not known to be prime.</summary>
    private static RationalFunction? SquareRoot(Rational value, Generators generators)
    {
        BigInteger rest = BigInteger.Abs(value.Numerator * value.Denominator);
        if (rest.GetBitLength() > 64)
        {
            return null;
        }

        BigInteger outside = BigInteger.One;
        RationalFunction? result = value.Sign < 0 ? OfGenerator(generators.Of("#i", Rational.MinusOne)) : new RationalFunction(Polynomial.Of(Rational.One), Polynomial.Of(Rational.One));
        for (int p = 2; p <= LargestTrialDivisor && rest > 1; p++)
        {
            int times = 0;
            while ((rest % p).IsZero)
            {
                rest /= p;
                times++;
            }

            outside *= BigInteger.Pow(p, times / 2);
            result = times % 2 == 1 && result is not null ? Multiply(result, RootOfPrime(p, generators), generators) : result;
        }

        if (rest > LargestTrialDivisor * LargestTrialDivisor)
        {
            return null;
        }

        // Without a factor up to 1,000 what is left below 1,000,000 is prime.
        result = rest > 1 && result is not null ? Multiply(result, RootOfPrime(rest, generators), generators) : result;
        return result is null || Rational.Of(value.IsZero ? BigInteger.Zero : outside, value.Denominator) is not Rational factor ? null
            : Multiply(result, new RationalFunction(Polynomial.Of(factor), Polynomial.Of(Rational.One)), generators);
    }

    private static RationalFunction RootOfPrime(BigInteger p, Generators generators) => OfGenerator(generators.Of("#root" + p, new Rational(p)));
}
