using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;

namespace Ghpo.Verification.Equivalence;

/// <summary>The points that expressions with symbols are compared at: pseudo-random, the same for the same expressions.</summary>
internal static class ProbePoints
{
    public static Dictionary<string, ComplexBall> At(ulong seed, int k, string[] symbols, bool integers)
    {
        var point = new Dictionary<string, ComplexBall>(symbols.Length, StringComparer.Ordinal);
        for (int s = 0; s < symbols.Length; s++)
        {
            point[symbols[s]] = Coordinate(seed, k, s, symbols.Length, integers);
        }

        return point;
    }

    /// <summary>True if a function of whole numbers has symbols in its arguments.</summary>
    public static bool NeedIntegers(Expr a) => ExpressionTree.Any(a, node => node is Call { Name: "factorial" or "doublefactorial" or "binomial" or "gcd" or "lcm" or "mod" } call
        && call.Arguments.Any(argument => ExpressionTree.Symbols(argument).Count > 0));

    /// <summary>
    /// A coordinate of a point, exact in binary. Every other point has positive coordinates only, the first ones small; in the others each symbol is
    /// negative at times. Never a whole number unless asked.
    /// </summary>
    private static ComplexBall Coordinate(ulong seed, int k, int symbol, int symbols, bool integers)
    {
        ulong random = Mix(seed + (ulong)((k * 1009) + symbol));
        if (integers)
        {
            return Ball.Of(1 + (long)(random % (ulong)(6 + (k / 2))));
        }

        double unit = (random >> 11) / (double)(1UL << 53);
        double size = k is 0 or 2 or 4 ? 0.05 + (0.45 * unit) : k % 4 == 0 ? 0.05 + (0.9 * unit) : 0.1 + (9.9 * unit);
        bool negative = k % 2 == 1 && ((random & 1) == 1 || k / 2 % symbols == symbol);
        long scaled = (long)(size * (1L << 40)) | 1;
        return new Ball(negative ? -scaled : scaled, -40, double.NegativeInfinity);
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
