using System.Numerics;

namespace Ghpo.Verification.Numerics;

/// <summary>Functions of whole numbers, bounded in size.</summary>
internal static class IntegerFunctions
{
    private const int MaxFactorial = 2_500;

    /// <returns>Null where the function is undefined or its value too large.</returns>
    public static BigInteger? Apply(string name, IReadOnlyList<BigInteger> values) => name switch
    {
        "gcd" when values.Count > 0 => values.Aggregate(BigInteger.GreatestCommonDivisor),
        "lcm" when values.Count > 0 && values.Count < 20 => values.Aggregate((BigInteger?)BigInteger.One, LeastCommonMultiple),
        "mod" when values.Count == 2 && values[1].Sign > 0 => ((values[0] % values[1]) + values[1]) % values[1],
        "binomial" when values.Count == 2 => Binomial(values[0], values[1]),
        "factorial" when values.Count == 1 => Factorial(values[0], 1),
        "doublefactorial" when values.Count == 1 => Factorial(values[0], 2),
        _ => null,
    };

    public static BigInteger? Factorial(BigInteger n, int step)
    {
        if (n.Sign < 0 || n > MaxFactorial)
        {
            return null;
        }

        BigInteger product = BigInteger.One;
        for (int k = (int)n; k > 1; k -= step)
        {
            product *= k;
        }

        return product;
    }

    private static BigInteger? LeastCommonMultiple(BigInteger? a, BigInteger b) =>
        a is not BigInteger left || left.GetBitLength() > 30_000 ? null
        : b.IsZero ? BigInteger.Zero
        : BigInteger.Abs(left / BigInteger.GreatestCommonDivisor(left, b) * b);

    private static BigInteger? Binomial(BigInteger n, BigInteger k)
    {
        if (n.Sign < 0)
        {
            return null;
        }

        if (k.Sign < 0 || k > n)
        {
            return BigInteger.Zero;
        }

        k = BigInteger.Min(k, n - k);
        if (k > MaxFactorial || (long)k * n.GetBitLength() > 60_000)
        {
            return null;
        }

        BigInteger result = BigInteger.One;
        for (int i = 1; i <= (int)k; i++)
        {
            result = result * (n - k + i) / i;
        }

        return result;
    }
}
