using System.Numerics;
using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;

namespace Ghpo.Verification.Equivalence;

/// <summary>How strictly answers are compared.</summary>
/// <param name="Precision">
/// Where a side is written as a decimal, a and b are equal if |a − b| ≤ 0.5 · 10^−Precision and |a − b| ≤ 10^(2 − Precision) · max(|a|, |b|).
/// </param>
/// <param name="Strict">False: free variables are matched by their alphabetical position, and sets equal tuples.</param>
public sealed record EquivalenceOptions(int Precision = 6, bool Strict = true)
{
    internal bool Tolerates(Rational a, Rational b)
    {
        if (Rational.Add(a, -b) is not Rational difference)
        {
            return false;
        }

        Rational size = Rational.Compare(Absolute(a), Absolute(b)) > 0 ? Absolute(a) : Absolute(b);
        difference = Absolute(difference);
        Rational absolute = Rational.Of(1, 2 * Ten(Precision))!.Value;
        return Rational.Compare(difference, absolute) <= 0
            && Rational.Multiply(size, PowerOfTen(2 - Precision)) is Rational relative && Rational.Compare(difference, relative) <= 0;
    }

    /// <returns>Null if the values are not known well enough.</returns>
    internal bool? Tolerates(ComplexBall a, ComplexBall b, ComplexBall difference)
    {
        const int Bits = 256;
        Ball size = ComplexBall.Modulus(a, Bits);
        Ball other = ComplexBall.Modulus(b, Bits);
        size = Ball.Subtract(size, other, Bits).Sign < 0 ? other : size;
        Ball gap = ComplexBall.Modulus(difference, Bits);
        int absolute = Ball.Subtract(Ball.Of(Rational.Of(1, 2 * Ten(Precision))!.Value, Bits), gap, Bits).Sign;
        int relative = Ball.Subtract(Ball.Multiply(size, Ball.Of(PowerOfTen(2 - Precision), Bits), Bits), gap, Bits).Sign;
        return absolute < 0 || relative < 0 ? false : absolute > 0 && relative > 0 ? true : null;
    }

    private static Rational Absolute(Rational a) => a.Sign < 0 ? -a : a;

    private static BigInteger Ten(int exponent) => BigInteger.Pow(10, exponent);

    private static Rational PowerOfTen(int exponent) => exponent >= 0 ? new Rational(Ten(exponent)) : Rational.Of(1, Ten(-exponent))!.Value;
}
