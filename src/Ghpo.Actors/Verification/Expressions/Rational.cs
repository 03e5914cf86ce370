using System.Globalization;
using System.Numerics;

namespace Ghpo.Verification.Expressions;

/// <summary>
/// An exact rational number in lowest terms. Operations whose result could exceed <see cref="MaxBits"/> give null before they are carried
/// out, so that no number that a policy writes can take much time or memory.
/// </summary>
internal readonly record struct Rational
{
    /// <summary>Most bits of numerator and denominator together: about 10,000 digits. A product or gcd of that size takes below a millisecond.</summary>
    public const int MaxBits = 34_000;

    public static readonly Rational Zero = new(0);
    public static readonly Rational One = new(1);
    public static readonly Rational MinusOne = new(-1);

    private readonly BigInteger _denominatorMinusOne;

    public Rational(BigInteger value) => Numerator = value;

    private Rational(BigInteger numerator, BigInteger denominator)
    {
        Numerator = numerator;
        _denominatorMinusOne = denominator - 1;
    }

    public BigInteger Numerator { get; }

    public BigInteger Denominator => _denominatorMinusOne + 1;

    public bool IsInteger => _denominatorMinusOne.IsZero;

    public bool IsZero => Numerator.IsZero;

    public bool IsOne => Numerator.IsOne && IsInteger;

    public int Sign => Numerator.Sign;

    public static Rational operator -(Rational a) => new(-a.Numerator, a.Denominator);

    /// <returns>Null for a denominator of 0.</returns>
    public static Rational? Of(BigInteger numerator, BigInteger denominator)
    {
        if (denominator.IsZero)
        {
            return null;
        }

        if (denominator.IsOne)
        {
            return new Rational(numerator);
        }

        BigInteger divisor = BigInteger.GreatestCommonDivisor(numerator, denominator);
        if (denominator.Sign < 0)
        {
            divisor = -divisor;
        }

        return new Rational(numerator / divisor, denominator / divisor);
    }

    public static Rational? Add(Rational a, Rational b)
    {
        if (a.IsInteger && b.IsInteger)
        {
            return new Rational(a.Numerator + b.Numerator);
        }

        return Bits(a) + Bits(b) > MaxBits ? null : Of((a.Numerator * b.Denominator) + (b.Numerator * a.Denominator), a.Denominator * b.Denominator);
    }

    public static Rational? Multiply(Rational a, Rational b) =>
        Bits(a) + Bits(b) > MaxBits ? null : Of(a.Numerator * b.Numerator, a.Denominator * b.Denominator);

    /// <returns>Null also for a divisor of 0.</returns>
    public static Rational? Divide(Rational a, Rational b) =>
        b.IsZero || Bits(a) + Bits(b) > MaxBits ? null : Of(a.Numerator * b.Denominator, a.Denominator * b.Numerator);

    public static int Compare(Rational a, Rational b) =>
        (a.IsInteger && b.IsInteger ? a.Numerator - b.Numerator : (a.Numerator * b.Denominator) - (b.Numerator * a.Denominator)).Sign;

    /// <summary>a^n; null for 0 to a negative power or a result above the cap.</summary>
    public static Rational? Power(Rational a, BigInteger n)
    {
        if (n.IsZero || a.IsOne)
        {
            return One;
        }

        if (a.IsZero)
        {
            return n.Sign > 0 ? Zero : null;
        }

        if (a.IsInteger && a.Numerator == -1)
        {
            return n.IsEven ? One : MinusOne;
        }

        if (BigInteger.Abs(n) * Bits(a) > MaxBits)
        {
            return null;
        }

        int exponent = (int)BigInteger.Abs(n);
        BigInteger above = BigInteger.Pow(a.Numerator, exponent);
        BigInteger below = BigInteger.Pow(a.Denominator, exponent);
        return n.Sign > 0 ? new Rational(above, below) : Of(below, above);
    }

    /// <summary>The n-th root if it is rational; of a negative number for odd n the real one.</summary>
    public static Rational? Root(Rational a, int n)
    {
        if (a.Sign < 0)
        {
            return n % 2 == 1 && Root(-a, n) is Rational root ? -root : null;
        }

        return IntegerRoot(a.Numerator, n) is BigInteger above && IntegerRoot(a.Denominator, n) is BigInteger below ? Of(above, below) : null;
    }

    /// <summary>The largest whole number that is not above the value.</summary>
    public BigInteger Floor()
    {
        BigInteger quotient = BigInteger.DivRem(Numerator, Denominator, out BigInteger rest);
        return rest.Sign < 0 ? quotient - 1 : quotient;
    }

    public override string ToString()
    {
        if (Bits(this) > 400)
        {
            return "a number of " + ((int)(Bits(this) * 0.30103)).ToString(CultureInfo.InvariantCulture) + " digits";
        }

        string above = Numerator.ToString(CultureInfo.InvariantCulture);
        return IsInteger ? above : above + "/" + Denominator.ToString(CultureInfo.InvariantCulture);
    }

    public static long Bits(Rational a) => a.IsInteger ? a.Numerator.GetBitLength() : a.Numerator.GetBitLength() + a.Denominator.GetBitLength();

    /// <summary>The exact n-th root of a non-negative integer, or null. Newton's iteration from above.</summary>
    private static BigInteger? IntegerRoot(BigInteger value, int n)
    {
        if (value.IsZero || value.IsOne || n == 1)
        {
            return value;
        }

        long bits = value.GetBitLength();
        if (n >= bits)
        {
            return null;
        }

        BigInteger root = BigInteger.One << (int)((bits + n - 1) / n);
        while (true)
        {
            BigInteger next = (((n - 1) * root) + (value / BigInteger.Pow(root, n - 1))) / n;
            if (next >= root)
            {
                break;
            }

            root = next;
        }

        return BigInteger.Pow(root, n) == value ? root : null;
    }
}
