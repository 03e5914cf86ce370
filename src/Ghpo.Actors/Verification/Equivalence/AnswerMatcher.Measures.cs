using Ghpo.Verification.Expressions;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Equivalence;

/// <summary>Quantities, percent, degrees and ratios.</summary>
internal sealed partial class AnswerMatcher
{
    private bool? MeasuresEqual(Expr a, Expr b)
    {
        (a, b) = (a is Quantity { Value: Percent, Unit: "" } ? ((Quantity)a).Value : a, b is Quantity { Value: Percent, Unit: "" } ? ((Quantity)b).Value : b);
        if (InCents(a) is Expr cents && InCents(b) is Expr others)
        {
            return Equal(cents, others);
        }

        if (a is Quantity left && b is Quantity right && left.Unit.Length > 0 && right.Unit.Length > 0 && !Units.Agree(left.Unit, right.Unit))
        {
            return false;
        }

        if ((a is Quantity { Unit.Length: > 0 } said && WithUnit(b) is { Unit: var other1 } && other1.Contains('/', StringComparison.Ordinal) && other1 != said.Unit)
            || (b is Quantity { Unit.Length: > 0 } stated && WithUnit(a) is { Unit: var other2 } && other2.Contains('/', StringComparison.Ordinal) && other2 != stated.Unit))
        {
            return false;
        }

        if (OtherDimension(a, b) || OtherDimension(b, a))
        {
            return false;
        }

        // 100 m, 5 m/s: letters behind a number are a unit if the other side says so.
        a = b is Quantity { Unit.Length: > 0 } && WithUnit(a) is Quantity metered && metered.Unit == ((Quantity)b).Unit ? metered : a;
        b = a is Quantity { Unit.Length: > 0 } && WithUnit(b) is Quantity measured && measured.Unit == ((Quantity)a).Unit ? measured : b;
        if ((a is Quantity { Unit: "radian" } && HasDegrees(b)) || (b is Quantity { Unit: "radian" } && HasDegrees(a)))
        {
            return _scalars.Equal(a is Quantity one ? one.Value : a, b is Quantity two ? two.Value : b);
        }

        if (a is Quantity { Unit: "am" or "pm" } && b is Quantity { Unit: "am" or "pm" })
        {
            (Expr first, Expr second) = (OnTheHour(((Quantity)a).Value), OnTheHour(((Quantity)b).Value));
            return first is Ratio == second is Ratio ? Equal(first, second) : false;
        }

        if (a is Quantity || b is Quantity)
        {
            return Equal(a is Quantity x ? x.Value : a, b is Quantity y ? y.Value : b);
        }

        if (a is Percent p && b is Percent q)
        {
            return Equal(p.Value, q.Value);
        }

        (Percent percent, Expr other) = a is Percent share ? (share, b) : ((Percent)b, a);
        if (other is Relation)
        {
            return RelationsEqual(percent, other);
        }

        return (!ExpressionTree.IsScalar(other) && other is not Ratio) || HasDegrees(other) ? false
            : Equal(percent.Value, other) is true ? true
            : Equal(Expr.Divide(percent.Value, Expr.Of(100)), other);
    }

    /// <summary>Dollars and cents are one currency; null for any other.</summary>
    private static Expr? InCents(Expr a) => a switch
    {
        Quantity { Unit: "cent" } cents => cents.Value,
        Quantity { Unit: "dollar" } dollars => Simplifier.Simplify(new Product([dollars.Value, Expr.Of(100)])),
        _ => null,
    };

    /// <summary>Things that are counted or measured against percent, or against degrees that are none of temperature; a known unit against a ratio, a time of day against a number.</summary>
    private static bool OtherDimension(Expr a, Expr b) => a is Quantity { Unit: var unit, Value: var value } && b switch
    {
        Quantity => false,
        Percent => unit != "unit",
        Ratio => unit is not ("" or "unit" or "am" or "pm") && value is not Ratio,
        _ when unit is "am" or "pm" => value is Ratio && ExpressionTree.IsScalar(b),
        _ => unit is not ("C" or "F" or "K" or "radian" or "unit") && HasDegrees(b),
    };

    /// <summary>5:00 as 5, the way it is said before am or pm.</summary>
    private static Expr OnTheHour(Expr time) => time is Ratio { Clock: true, Parts: [Number hour, Number { Value.IsZero: true }] } ? hour : time;

    /// <summary>A number times letters that make up a unit.</summary>
    private static Quantity? WithUnit(Expr a)
    {
        if (a is not Product { Factors: [Number amount, .. var letters] })
        {
            return null;
        }

        string name = "";
        foreach (Expr letter in letters)
        {
            switch (letter)
            {
                case Symbol symbol:
                    name += symbol.Name;
                    break;
                case Power { Base: Power { Base: Symbol symbol, Exponent: Number { Value: { IsInteger: true, Sign: > 0 } power } }, Exponent: Number { Value: var inverse } } when inverse == Rational.MinusOne:
                    name += "/" + symbol.Name + "^" + power;
                    break;
                case Power { Base: Symbol symbol, Exponent: Number { Value: { IsInteger: true } n } }:
                    name += n.Sign > 0 ? symbol.Name + "^" + n : "/" + symbol.Name + (n == Rational.MinusOne ? "" : "^" + (-n));
                    break;
                default:
                    return null;
            }
        }

        return Units.Of(name) is { Length: > 0 } unit ? new Quantity(amount, unit) : null;
    }

    /// <summary>A degree sign counts as π/180; where one side has none it may also be dropped.</summary>
    private bool? ScalarsEqual(Expr a, Expr b)
    {
        switch (a, b)
        {
            case (Call { Name: "cases" } x, Call { Name: "cases" } y):
                return CasesEqual(x, y);
            case (Call { Name: "pmod" } x, Call { Name: "pmod" } y):
                return ResiduesEqual(x, y);
            case (Call, not Call) or (not Call, Call):
                (a, b) = (Combinations(a), Combinations(b));
                break;
            case (Number, Product) when WithUnit(b) is { Unit: var unit } measured && Units.IsRate(unit):
                return Equal(a, measured.Value);
            case (Product, Number) when WithUnit(a) is { Unit: var unit } measured && Units.IsRate(unit):
                return Equal(measured.Value, b);
        }

        bool? equal = _scalars.Equal(a, b);
        if (equal is true)
        {
            return true;
        }

        bool degreesA = HasDegrees(a);
        bool degreesB = HasDegrees(b);
        return degreesA == degreesB || ExpressionTree.Any(degreesA ? a : b, node => node is Constant { Kind: ConstantKind.Pi }) ? equal
            : _scalars.Equal(degreesA ? DropDegrees(a) : a, degreesB ? DropDegrees(b) : b);
    }

    private static bool HasDegrees(Expr a) => a is Constant { Kind: ConstantKind.Degree } || (a is not (Call or Power { Base: Constant }) && ExpressionTree.Children(a).Any(HasDegrees));

    private static Expr DropDegrees(Expr a) => a is Constant { Kind: ConstantKind.Degree } ? Expr.One : a is Call or Power { Base: Constant } ? a : ExpressionTree.Map(a, DropDegrees);

    private bool? RatiosEqual(Expr a, Expr b)
    {
        if (a is Ratio x && b is Ratio y)
        {
            if (x.Parts.Length != y.Parts.Length)
            {
                return false;
            }

            bool? same = All(x.Parts, y.Parts);
            if (same is true || (x.Clock && y.Clock))
            {
                return same;
            }

            // a : b = c : d where a d = b c, part by part, and no part is 0.
            bool? proportional = true;
            for (int i = 1; i < x.Parts.Length && proportional is not false; i++)
            {
                bool zero = new[] { x.Parts[0], x.Parts[i], y.Parts[0], y.Parts[i] }.Any(part => _scalars.Equal(part, Expr.Zero) is not false);
                proportional = zero ? false : RealSetAlgebra.Both(proportional, ScalarsEqual(new Product([x.Parts[0], y.Parts[i]]), new Product([x.Parts[i], y.Parts[0]])));
            }

            return proportional;
        }

        (Ratio ratio, Expr other) = a is Ratio first ? (first, b) : ((Ratio)b, a);
        return ratio.Parts.Length == 2 && ExpressionTree.IsScalar(other) ? ScalarsEqual(Expr.Divide(ratio.Parts[0], ratio.Parts[1]), other) : false;
    }
}
