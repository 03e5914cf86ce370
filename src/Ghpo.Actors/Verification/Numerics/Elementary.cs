using System.Collections.Concurrent;
using System.Numerics;

namespace Ghpo.Verification.Numerics;

/// <summary>
/// Elementary functions of balls, by argument reduction and Taylor series in fixed point. Each adds the error that the radius of its argument causes and
/// that of its own rounding.
/// </summary>
internal static class Elementary
{
    private const int Guard = 32;

    // Constants by precision, which is rounded up to one of few values: the caches stay small and are shared by all threads.
    private static readonly ConcurrentDictionary<int, BigInteger> PiCache = new();
    private static readonly ConcurrentDictionary<int, BigInteger> Ln2Cache = new();

    public static Ball Pi(int precision)
    {
        int bits = Bucket(precision + 8);
        return Ball.Round(PiCache.GetOrAdd(bits, ComputePi), -bits, 4 - bits, precision);
    }

    public static Ball Ln2(int precision)
    {
        int bits = Bucket(precision + 8);
        return Ball.Round(Ln2Cache.GetOrAdd(bits, ComputeLn2), -bits, 4 - bits, precision);
    }

    /// <returns>Unknown for an argument beyond 2^30.</returns>
    public static Ball Exp(Ball x, int precision)
    {
        if (x.IsUnknown || x.Bound > 30)
        {
            return Ball.Unknown;
        }

        if (x.IsExactZero)
        {
            return Ball.One;
        }

        // x = k ln 2 + r, |r| ≤ 1/2; e^r = (e^(r / 2^s))^(2^s).
        int squarings = 4 + (int)Math.Sqrt(precision / 4.0);
        int bits = precision + Guard + squarings + Math.Max(0, (int)Math.Max(x.Magnitude, 0));
        var k = (long)Math.Round(x.ToDouble() / Math.Log(2));
        Ball reduced = Ball.Subtract(x, Ball.Multiply(Ball.Of(k), Ln2(bits), bits), bits);
        BigInteger r = Fixed(reduced, bits) >> squarings;
        BigInteger one = BigInteger.One << bits;
        BigInteger sum = one + r;
        BigInteger term = r;
        for (int n = 2; !term.IsZero && n < 100_000; n++)
        {
            term = ((term * r) >> bits) / n;
            sum += term;
        }

        for (int s = 0; s < squarings; s++)
        {
            sum = (sum * sum) >> bits;
        }

        // e^x (e^ρ − 1) ≤ 2 ρ e^x for ρ ≤ 1; the result has magnitude at most 2^(k + 2).
        double radius = x.Radius > 0 ? double.NaN : LogAddPair(k + 3 + x.Radius, k + 2 - precision - 4);
        return Ball.Round(sum, k - bits, radius, precision);
    }

    /// <returns>Unknown unless the argument is proved positive.</returns>
    public static Ball Log(Ball x, int precision)
    {
        if (x.IsUnknown || x.Sign <= 0)
        {
            return Ball.Unknown;
        }

        if (x.IsExact && x.Exponent == 0 && x.Mantissa.IsOne)
        {
            return Ball.Zero;
        }

        // x = m 2^k with m in [1/2, 1): ln x = ln m + k ln 2, ln m by Newton's (here Halley's) iteration on exp.
        long k = (long)x.Magnitude;
        var m = new Ball(x.Mantissa, x.Exponent - k, double.NegativeInfinity);
        int working = precision + Guard + 64 - (int)Math.Min(63, BigInteger.Abs(k).GetBitLength());
        Ball y = FromDouble(Math.Log(m.ToDouble()));
        for (int correct = 45; correct < working * 3; correct *= 3)
        {
            int bits = Math.Min(working, (correct * 3) + Guard);
            Ball exp = Exact(Exp(y, bits));
            Ball difference = Ball.Subtract(m, exp, bits);
            Ball step = Ball.Divide(difference, Ball.Add(m, exp, bits), bits);
            y = Exact(Ball.Add(y, new Ball(step.Mantissa, step.Exponent + 1, double.NegativeInfinity), bits));
            if (bits == working && correct >= working)
            {
                break;
            }
        }

        Ball result = Ball.Add(new Ball(y.Mantissa, y.Exponent, 8 - working), Ball.Multiply(Ball.Of(k), Ln2(working), working), working);
        double low = x.Magnitude - 1;
        double spread = x.Radius < low - 1 ? x.Radius - (low - 1) : double.NaN;
        return Ball.Round(result.Mantissa, result.Exponent, Ball.LogAdd(result.Radius, spread), precision);
    }

    /// <returns>Unknown for an argument beyond 2^20000, or one that is not known to a fraction of a turn.</returns>
    public static (Ball Sin, Ball Cos) SinCos(Ball x, int precision)
    {
        if (x.IsUnknown || x.Bound > 20_000 || x.Radius > -2)
        {
            return (Ball.Unknown, Ball.Unknown);
        }

        if (x.IsExactZero)
        {
            return (Ball.Zero, Ball.One);
        }

        // x = k π/2 + r, |r| ≤ π/4.
        int bits = precision + Guard + 16;
        int wide = bits + (int)Math.Max(0, x.Magnitude) + 8;
        Ball halfPi = Pi(wide);
        halfPi = new Ball(halfPi.Mantissa, halfPi.Exponent - 1, halfPi.Radius - 1);
        BigInteger k = BigInteger.Zero;
        Ball reduced = new(x.Mantissa, x.Exponent, double.NegativeInfinity);
        if (x.Magnitude >= 0)
        {
            Ball turns = Ball.Divide(x, halfPi, wide);
            k = Nearest(turns);
            reduced = Ball.Subtract(reduced, Ball.Multiply(Ball.Of(k), halfPi, wide), wide);
        }

        BigInteger r = Fixed(reduced, bits);
        BigInteger square = (r * r) >> bits;
        BigInteger sin = r;
        BigInteger cos = BigInteger.One << bits;
        BigInteger sinTerm = r;
        BigInteger cosTerm = cos;
        for (int n = 1; (!sinTerm.IsZero || !cosTerm.IsZero) && n < 100_000; n++)
        {
            cosTerm = -((cosTerm * square) >> bits) / ((2 * n) * ((2 * n) - 1));
            sinTerm = -((sinTerm * square) >> bits) / ((2 * n) * ((2 * n) + 1));
            cos += cosTerm;
            sin += sinTerm;
        }

        double radius = Ball.LogAdd(x.Radius, Ball.LogAdd(reduced.Radius, 12 - bits));
        (BigInteger s, BigInteger c) = (int)(((k % 4) + 4) % 4) switch
        {
            0 => (sin, cos),
            1 => (cos, -sin),
            2 => (-sin, -cos),
            _ => (-cos, sin),
        };
        return (Ball.Round(s, -bits, radius, precision), Ball.Round(c, -bits, radius, precision));
    }

    /// <summary>arctan, in (−π/2, π/2).</summary>
    public static Ball Atan(Ball x, int precision)
    {
        if (x.IsUnknown)
        {
            return Ball.Unknown;
        }

        if (x.Mantissa.IsZero)
        {
            // |arctan x| ≤ |x|
            return x;
        }

        int bits = precision + Guard + 16;
        if (x.Magnitude > 1 && !x.MayBeZero)
        {
            // arctan x = ±π/2 − arctan(1/x)
            Ball half = Pi(bits);
            half = new Ball(x.Mantissa.Sign * half.Mantissa, half.Exponent - 1, half.Radius);
            return Ball.Subtract(half, Atan(Ball.Divide(Ball.One, x, bits), bits), precision);
        }

        if (-2 * x.Bound > bits)
        {
            // |arctan x − x| ≤ |x|³
            return Ball.Round(x.Mantissa, x.Exponent, Ball.LogAdd(x.Radius, 3 * x.Bound), precision);
        }

        // Three times arctan x = 2 arctan(x / (1 + √(1 + x²))), then Taylor. A tiny argument keeps its relative precision.
        int scale = (int)Math.Clamp(-Math.Max(x.Magnitude, x.Radius), 0, 40_000);
        bits += scale;
        Ball y = new(x.Mantissa, x.Exponent, double.NegativeInfinity);
        const int Halvings = 4;
        for (int i = 0; i < Halvings; i++)
        {
            Ball root = Ball.SquareRoot(Ball.Add(Ball.One, Ball.Multiply(y, y, bits), bits), bits);
            y = Ball.Divide(y, Ball.Add(Ball.One, root, bits), bits);
        }

        BigInteger t = Fixed(y, bits);
        BigInteger square = (t * t) >> bits;
        BigInteger sum = t;
        BigInteger power = t;
        for (int n = 3; !power.IsZero && n < 200_000; n += 2)
        {
            power = -((power * square) >> bits);
            sum += power / n;
        }

        double radius = Ball.LogAdd(x.Radius, Ball.LogAdd(y.Radius + Halvings, 16 - bits));
        return Ball.Round(sum, Halvings - bits, radius, precision);
    }

    private static Ball Exact(Ball x) => x.IsUnknown ? x : new Ball(x.Mantissa, x.Exponent, double.NegativeInfinity);

    private static double LogAddPair(double a, double b) => Ball.LogAdd(a, b);

    private static int Bucket(int bits)
    {
        int bucket = 256;
        while (bucket < bits)
        {
            bucket += bucket / 2;
        }

        return bucket;
    }

    /// <summary>The midpoint as a fixed-point number, in units of 2^−bits.</summary>
    private static BigInteger Fixed(Ball x, int bits)
    {
        long shift = x.Exponent + bits;
        return shift >= 0 ? x.Mantissa << (int)shift : shift < -(x.Mantissa.GetBitLength() + 64) ? BigInteger.Zero : x.Mantissa >> (int)-shift;
    }

    private static BigInteger Nearest(Ball x)
    {
        if (x.Exponent >= 0)
        {
            return x.Mantissa << (int)x.Exponent;
        }

        int shift = (int)Math.Min(int.MaxValue, -x.Exponent);
        return (x.Mantissa + (BigInteger.One << (shift - 1))) >> shift;
    }

    private static Ball FromDouble(double value) => new(new BigInteger(Math.ScaleB(value, 60)), -60, double.NegativeInfinity);

    /// <summary>Machin: π = 16 arctan(1/5) − 4 arctan(1/239), in units of 2^−bits.</summary>
    private static BigInteger ComputePi(int bits)
    {
        int wide = bits + 16;
        return ((16 * InverseSeries(5, wide, alternating: true)) - (4 * InverseSeries(239, wide, alternating: true))) >> 16;
    }

    /// <summary>ln 2 = 18 artanh(1/26) − 2 artanh(1/4801) + 8 artanh(1/8749).</summary>
    private static BigInteger ComputeLn2(int bits)
    {
        int wide = bits + 16;
        BigInteger sum = (18 * InverseSeries(26, wide, alternating: false)) - (2 * InverseSeries(4801, wide, alternating: false)) + (8 * InverseSeries(8749, wide, alternating: false));
        return sum >> 16;
    }

    /// <summary>Σ (±1)^k / ((2k + 1) n^(2k+1)): arctan(1/n) or artanh(1/n).</summary>
    private static BigInteger InverseSeries(int n, int bits, bool alternating)
    {
        BigInteger power = (BigInteger.One << bits) / n;
        BigInteger sum = power;
        int square = n * n;
        for (int k = 1; !power.IsZero; k++)
        {
            power /= square;
            BigInteger term = power / ((2 * k) + 1);
            sum += alternating && k % 2 == 1 ? -term : term;
        }

        return sum;
    }
}
