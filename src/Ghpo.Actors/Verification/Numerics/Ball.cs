using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Numerics;

/// <summary>
/// A real number known to lie within a radius of a midpoint: |x − M · 2^E| ≤ 2^R. R = −∞ is exact, R = NaN unknown. Radii are logarithms, so that neither
/// tiny nor huge values lose their meaning; every operation rounds them up.
/// </summary>
internal readonly struct Ball
{
    /// <summary>Magnitudes beyond 2^±this are unknown.</summary>
    private const long MaxExponent = 1L << 40;

    public static readonly Ball Zero = new(BigInteger.Zero, 0, double.NegativeInfinity);
    public static readonly Ball One = new(BigInteger.One, 0, double.NegativeInfinity);
    public static readonly Ball Unknown = new(BigInteger.Zero, 0, double.NaN);

    public readonly BigInteger Mantissa;
    public readonly long Exponent;
    public readonly double Radius;

    public Ball(BigInteger mantissa, long exponent, double radius)
    {
        Mantissa = mantissa;
        Exponent = exponent;
        Radius = radius;
    }

    public bool IsUnknown => double.IsNaN(Radius) || Radius > MaxExponent || Math.Abs(Exponent) > MaxExponent;

    public bool IsExact => double.IsNegativeInfinity(Radius);

    public bool IsExactZero => Mantissa.IsZero && IsExact;

    /// <summary>log2 of an upper bound of the midpoint's magnitude; −∞ for 0.</summary>
    public double Magnitude => Mantissa.IsZero ? double.NegativeInfinity : BigInteger.Abs(Mantissa).GetBitLength() + Exponent;

    /// <summary>log2 of an upper bound of |x|.</summary>
    public double Bound => LogAdd(Magnitude, Radius);

    /// <summary>False only if 0 is proved to be outside.</summary>
    public bool MayBeZero => IsUnknown || Mantissa.IsZero || Magnitude - 1 <= Radius;

    /// <summary>Sign of x; 0 if it is not known.</summary>
    public int Sign => MayBeZero ? 0 : Mantissa.Sign;

    public static Ball operator -(Ball a) => new(-a.Mantissa, a.Exponent, a.Radius);

    public static Ball Of(BigInteger value) => new(value, 0, double.NegativeInfinity);

    public static Ball Of(Rational value, int precision) =>
        value.IsInteger ? Round(value.Numerator, 0, double.NegativeInfinity, precision) : Divide(Of(value.Numerator), Of(value.Denominator), precision);

    /// <summary>The midpoint rounded to a precision, in bits, what is cut off added to the radius.</summary>
    public static Ball Round(BigInteger mantissa, long exponent, double radius, int precision)
    {
        long excess = mantissa.GetBitLength() - precision;
        return excess <= 0 ? new Ball(mantissa, exponent, radius) : new Ball(mantissa >> (int)excess, exponent + excess, LogAdd(radius, exponent + excess));
    }

    public static Ball Add(Ball a, Ball b, int precision)
    {
        if (a.IsUnknown || b.IsUnknown)
        {
            return Unknown;
        }

        double radius = LogAdd(a.Radius, b.Radius);
        if (a.Mantissa.IsZero)
        {
            return Round(b.Mantissa, b.Exponent, radius, precision);
        }

        if (b.Mantissa.IsZero)
        {
            return Round(a.Mantissa, a.Exponent, radius, precision);
        }

        // A summand far below the other's last bit only widens the radius.
        int limit = (2 * precision) + 128;
        if (a.Magnitude - b.Magnitude > limit)
        {
            return Round(a.Mantissa, a.Exponent, LogAdd(radius, b.Magnitude), precision);
        }

        if (b.Magnitude - a.Magnitude > limit)
        {
            return Round(b.Mantissa, b.Exponent, LogAdd(radius, a.Magnitude), precision);
        }

        long low = Math.Min(a.Exponent, b.Exponent);
        return Round((a.Mantissa << (int)(a.Exponent - low)) + (b.Mantissa << (int)(b.Exponent - low)), low, radius, precision);
    }

    public static Ball Subtract(Ball a, Ball b, int precision) => Add(a, -b, precision);

    public static Ball Multiply(Ball a, Ball b, int precision)
    {
        if (a.IsUnknown || b.IsUnknown)
        {
            return Unknown;
        }

        double radius = LogAdd(LogAdd(a.Magnitude + b.Radius, b.Magnitude + a.Radius), a.Radius + b.Radius);
        return Round(a.Mantissa * b.Mantissa, a.Exponent + b.Exponent, radius, precision);
    }

    /// <returns>Unknown if the divisor may be 0.</returns>
    public static Ball Divide(Ball a, Ball b, int precision)
    {
        if (a.IsUnknown || b.MayBeZero)
        {
            return Unknown;
        }

        if (a.IsExactZero)
        {
            return Zero;
        }

        int shift = (int)Math.Max(0, precision + 4 + b.Mantissa.GetBitLength() - a.Mantissa.GetBitLength());
        BigInteger quotient = (a.Mantissa << shift) / b.Mantissa;
        long exponent = a.Exponent - b.Exponent - shift;

        // |b| − r is at least a quarter of the bound on |b|: MayBeZero says r < |b| / 2 up to the rounding of magnitudes.
        double low = LowerBound(b);
        double size = Math.Max(a.Magnitude - b.Magnitude + 2, double.NegativeInfinity);
        double radius = LogAdd(a.Radius - low, size + b.Radius - low);
        return Round(quotient, exponent, LogAdd(radius, exponent), precision);
    }

    /// <summary>log2 of a lower bound of |x|, for a ball that is proved not to hold 0.</summary>
    private static double LowerBound(Ball b)
    {
        double low = b.Magnitude - 1;
        return b.Radius < low - 1 ? low - 1 : low + Math.Log2(1 - Math.Pow(2, b.Radius - low)) - 1e-9;
    }

    /// <summary>√x. Where x may be 0 or below, a ball around 0 that holds √|x|.</summary>
    public static Ball SquareRoot(Ball a, int precision)
    {
        if (a.IsUnknown || a.Sign < 0)
        {
            return Unknown;
        }

        if (a.MayBeZero)
        {
            return new Ball(BigInteger.Zero, 0, a.Bound / 2);
        }

        long shift = Math.Max(0, (2L * precision) + 4 - a.Mantissa.GetBitLength());
        shift += (a.Exponent - shift) & 1;
        BigInteger root = IntegerSquareRoot(a.Mantissa << (int)shift);
        long exponent = (a.Exponent - shift) / 2;

        // |√(m + r) − √m| ≤ r / √(m − r).
        double radius = a.Radius - (LowerBound(a) / 2);
        return Round(root, exponent, LogAdd(radius, exponent), precision);
    }

    public static Ball Power(Ball a, long n, int precision)
    {
        Ball result = One;
        int working = precision + 32;
        for (ulong k = (ulong)Math.Abs(n); k > 0; k >>= 1)
        {
            if ((k & 1) == 1)
            {
                result = Multiply(result, a, working);
            }

            a = k > 1 ? Multiply(a, a, working) : a;
        }

        return n < 0 ? Divide(One, result, precision) : result;
    }

    /// <summary>log2(2^a + 2^b), rounded up.</summary>
    public static double LogAdd(double a, double b)
    {
        (double high, double low) = a >= b ? (a, b) : (b, a);
        if (double.IsNegativeInfinity(low) || double.IsNaN(a) || double.IsNaN(b))
        {
            return double.IsNaN(a) || double.IsNaN(b) ? double.NaN : high;
        }

        double difference = high - low;
        return high + (difference > 60 ? 1e-6 : Math.Log2(1 + Math.Pow(2, -difference)) + 1e-6);
    }

    /// <summary>Largest r with r² ≤ n.</summary>
    public static BigInteger IntegerSquareRoot(BigInteger n)
    {
        if (n.IsZero)
        {
            return n;
        }

        BigInteger root = BigInteger.One << (int)((n.GetBitLength() + 1) / 2);
        if (n.GetBitLength() > 120)
        {
            // Start from the root of the leading bits, a little above.
            int cut = (int)(((n.GetBitLength() - 100) / 2) * 2);
            root = ((BigInteger)Math.Sqrt((double)(n >> cut)) + 2) << (cut / 2);
            root += root >> 40;
        }

        while (true)
        {
            BigInteger next = (root + (n / root)) >> 1;
            if (next >= root)
            {
                return root;
            }

            root = next;
        }
    }

    /// <summary>The midpoint as a double; for estimates only.</summary>
    public double ToDouble()
    {
        long excess = Mantissa.GetBitLength() - 64;
        BigInteger top = excess > 0 ? Mantissa >> (int)excess : Mantissa;
        long exponent = Exponent + Math.Max(0, excess);
        return exponent is > 2000 or < -2000 ? (exponent > 0 ? Mantissa.Sign * double.PositiveInfinity : 0.0) : Math.ScaleB((double)top, (int)exponent);
    }
}
