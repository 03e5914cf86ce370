using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;

namespace Ghpo.Verification.Equivalence;

/// <summary>
/// Whether two values are equal. Rational numbers exactly; other constants by balls of growing precision, which prove that they differ, and count as
/// equal only if nothing tells them apart at a precision far beyond every magnitude that occurs in them; expressions with symbols at pseudo-random
/// points, one disproof sufficing.
/// </summary>
internal sealed class ScalarComparer(EquivalenceOptions options, Budget budget)
{
    private const int MaxPrecision = 12_000;
    private const int Points = 32;
    private const int IntegerPoints = 60;
    private const int Enough = 10;
    private const int Fewest = 4;
    private const ulong Salt = 0x6B79_A3C5_D2E1_F847;

    private static readonly Dictionary<string, ComplexBall> Nowhere = [];

    /// <returns>Null if it cannot be decided within the budget.</returns>
    public bool? Equal(Expr a, Expr b)
    {
        a = Simplifier.Simplify(a);
        b = Simplifier.Simplify(b);
        if (IsUndefined(a) || IsUndefined(b))
        {
            return false;
        }

        if (a is Number x && b is Number y)
        {
            return x.Value == y.Value || ((x.IsDecimal || y.IsDecimal) && options.Tolerates(x.Value, y.Value));
        }

        int infinity = Simplifier.InfinitySign(a);
        if (infinity != 0 || Simplifier.InfinitySign(b) != 0)
        {
            return infinity == Simplifier.InfinitySign(b);
        }

        if (HasInfinity(a) || HasInfinity(b))
        {
            return ExprKey.Of(a) == ExprKey.Of(b);
        }

        if (a is Sum or Product && b is Sum or Product && HasImaginaryUnit(a) != HasImaginaryUnit(b))
        {
            // I is how some programs write i; it is a symbol unless the other side has the imaginary unit.
            a = CapitalImaginaryUnit(a);
            b = CapitalImaginaryUnit(b);
        }

        if (!HasBareLog(a) && !HasBareLog(b))
        {
            return Equal(a, b, logBase10: false);
        }

        // A bare log is natural or to base 10, the same on both sides.
        return Equal(a, b, logBase10: false) is true ? true : Equal(a, b, logBase10: true);
    }

    /// <summary>Sign of a real constant: null if it is none, or cannot be told.</summary>
    public int? Sign(Expr a)
    {
        a = Simplifier.Simplify(a);
        if (a is Number number)
        {
            return number.Value.Sign;
        }

        if (Simplifier.InfinitySign(a) is int infinity and not 0)
        {
            return infinity;
        }

        if (ExpressionTree.Symbols(a).Count > 0)
        {
            return null;
        }

        ComplexBall value = new Evaluator(Nowhere, 256, false, false, budget).Evaluate(a);
        return value.IsReal && value.Re.Sign != 0 ? value.Re.Sign : Equal(a, Expr.Zero) is true ? 0 : null;
    }

    private static bool IsUndefined(Expr a) => a is Constant { Kind: ConstantKind.Undefined };

    private static bool HasInfinity(Expr a) => ExpressionTree.Any(a, node => node is Constant { Kind: ConstantKind.Infinity }) && !ExpressionTree.Any(a, node => node is Call { Name: ['\\', ..] });

    private static Expr CapitalImaginaryUnit(Expr a) => HasImaginaryUnit(a) ? a : ExpressionTree.Substitute(a, symbol => symbol.Name == "I" ? new Constant(ConstantKind.I) : symbol);

    private static bool HasBareLog(Expr a) => ExpressionTree.Any(a, node => node is Call { Name: "log" });

    private bool? Equal(Expr a, Expr b, bool logBase10)
    {
        bool complex = HasImaginaryUnit(a) || HasImaginaryUnit(b);
        SortedSet<string> symbols = ExpressionTree.Symbols(a);
        symbols.UnionWith(ExpressionTree.Symbols(b));
        bool tolerant = symbols.Count == 0 && (ExpressionTree.IsDecimal(a) || ExpressionTree.IsDecimal(b));
        if (!tolerant && RationalFunction.Equal(a, b, budget) is bool proved)
        {
            return proved;
        }

        if (ExprKey.Of(a) == ExprKey.Of(b))
        {
            return IsDefined(a, [.. symbols], logBase10, complex);
        }

        return symbols.Count == 0 ? ConstantsEqual(a, b, logBase10, complex) : ProbesEqual(a, b, [.. symbols], logBase10, complex);
    }

    /// <summary>Whether nothing shows that an expression divides by 0 wherever it is looked at; what is too large to evaluate counts as defined.</summary>
    private bool IsDefined(Expr a, string[] symbols, bool logBase10, bool complex)
    {
        bool integers = ProbePoints.NeedIntegers(a);
        ulong seed = ExprKey.Of(a).GetHashCodeStable() ^ Salt;
        for (int k = 0; k < Points; k++)
        {
            var evaluator = new Evaluator(ProbePoints.At(seed, k, symbols, integers), 160, logBase10, complex, budget);
            if (!evaluator.Evaluate(a).IsUnknown || evaluator.TooLarge || !evaluator.Singular)
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasImaginaryUnit(Expr a) => ExpressionTree.Any(a, node => node is Constant { Kind: ConstantKind.I });

    private bool? ConstantsEqual(Expr a, Expr b, bool logBase10, bool complex)
    {
        bool tolerant = ExpressionTree.IsDecimal(a) || ExpressionTree.IsDecimal(b);
        int needed = 700;
        for (int precision = 128; ; precision = Math.Min(needed, precision * 4))
        {
            var evaluator = new Evaluator(Nowhere, precision, logBase10, complex, budget);
            ComplexBall x = evaluator.Evaluate(a);
            ComplexBall y = evaluator.Evaluate(b);
            if (x.IsUnknown || y.IsUnknown)
            {
                if (evaluator.TooLarge || !evaluator.Singular || precision >= 500)
                {
                    return evaluator.Singular ? false : null;
                }

                continue;
            }

            ComplexBall difference = ComplexBall.Subtract(x, y, precision + 64);
            if (tolerant && options.Tolerates(x, y, difference) is bool decided)
            {
                return decided;
            }

            if (!difference.MayBeZero)
            {
                return tolerant ? null : false;
            }

            if (difference.Re.IsExactZero && difference.Im.IsExactZero)
            {
                return true;
            }

            // Two values could still differ by as little as the smallest and largest magnitudes in them allow: look as deep as that and deeper.
            needed = (int)Math.Max(needed, Math.Min(2.0 * MaxPrecision, 700 + (2 * evaluator.Depth)));
            if (needed > MaxPrecision)
            {
                return null;
            }

            if (precision >= needed)
            {
                double scale = Math.Max(x.Magnitude, y.Magnitude);
                return difference.Radius < -(precision / 3.0) + Math.Max(0, double.IsNegativeInfinity(scale) ? 0 : scale) ? true : null;
            }
        }
    }

    private bool? ProbesEqual(Expr a, Expr b, string[] symbols, bool logBase10, bool complex)
    {
        bool integers = ProbePoints.NeedIntegers(a) || ProbePoints.NeedIntegers(b);
        ulong seed = ExprKey.Of(a).GetHashCodeStable() ^ ExprKey.Of(b).GetHashCodeStable() ^ Salt;
        int agreed = 0;
        int complexAgreed = 0;
        int tooLarge = 0;
        for (int k = 0; k < (integers ? IntegerPoints : Points) && agreed < Enough; k++)
        {
            switch (Probe(a, b, ProbePoints.At(seed, k, symbols, integers), logBase10, complex))
            {
                case Agreement.Differ:
                    return false;
                case Agreement.Agree:
                    agreed++;
                    break;
                case Agreement.AgreeOutsideTheReals:
                    complexAgreed++;
                    break;
                case Agreement.OneSided when !integers:
                    return false;
                case Agreement.TooLarge when ++tooLarge > Fewest && agreed == 0:
                case Agreement.Spent:
                    return null;
            }
        }

        return agreed >= Fewest || (agreed == 0 && complexAgreed >= Fewest) ? true : null;
    }

    private enum Agreement
    {
        Differ,
        Agree,

        /// <summary>Neither side is real here, and they have the same complex value.</summary>
        AgreeOutsideTheReals,

        /// <summary>Neither side is real here, and they differ: no matter for an identity over the reals.</summary>
        Undefined,

        /// <summary>A value is beyond the evaluator here.</summary>
        TooLarge,

        /// <summary>One side has no value here.</summary>
        OneSided,
        Spent,
    }

    private Agreement Probe(Expr a, Expr b, Dictionary<string, ComplexBall> point, bool logBase10, bool complex)
    {
        int precision = 160;
        for (int attempt = 0; attempt < 4; attempt++)
        {
            var evaluator = new Evaluator(point, precision, logBase10, complex, budget);
            ComplexBall x = evaluator.Evaluate(a);
            ComplexBall y = evaluator.Evaluate(b);
            if (budget.IsSpent)
            {
                return Agreement.Spent;
            }

            if (x.IsUnknown || y.IsUnknown)
            {
                return evaluator.TooLarge ? Agreement.TooLarge : x.IsUnknown && y.IsUnknown ? Agreement.Undefined : Agreement.OneSided;
            }

            bool realX = complex || IsReal(x);
            bool realY = complex || IsReal(y);
            if (realX != realY)
            {
                return Agreement.Differ;
            }

            ComplexBall difference = ComplexBall.Subtract(x, y, precision + 64);
            double scale = Math.Max(x.Magnitude, y.Magnitude);
            if (!difference.MayBeZero)
            {
                return realX ? Agreement.Differ : Agreement.Undefined;
            }

            int deep = (int)Math.Min(MaxPrecision, 160 + (2 * evaluator.Depth));
            if (precision >= deep && difference.Radius < Math.Max(scale, -60) - 80)
            {
                return realX ? Agreement.Agree : Agreement.AgreeOutsideTheReals;
            }

            precision = Math.Max(precision * 2, deep);
        }

        return Agreement.Undefined;
    }

    private static bool IsReal(ComplexBall x) => x.IsReal || (x.Im.MayBeZero && x.Im.Radius < Math.Max(x.Re.Magnitude, -20) - 60);
}
