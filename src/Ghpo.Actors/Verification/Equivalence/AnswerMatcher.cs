using System.Collections.Immutable;
using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Equivalence;

/// <summary>
/// Whether two answers say the same, structure by structure: lists and sets in any order, tuples in theirs, intervals by ends and openness, equations up to a
/// factor, matrices by entries. Symmetric. Null: it could not be decided.
/// </summary>
internal sealed partial class AnswerMatcher
{
    private const int MaxItems = 64;
    private const int MaxAlternatives = 32;

    private readonly EquivalenceOptions _options;
    private readonly Budget _budget;
    private readonly ScalarComparer _scalars;
    private readonly RealSetAlgebra _sets;

    public AnswerMatcher(EquivalenceOptions options, Budget budget)
    {
        _options = options;
        _budget = budget;
        _scalars = new ScalarComparer(options, budget);
        _sets = new RealSetAlgebra(_scalars);
    }

    public bool? Equal(Expr a, Expr b)
    {
        if (!_budget.Spend(20))
        {
            return null;
        }

        a = Unwrap(a);
        b = Unwrap(b);
        if (a is Quantity or Percent || b is Quantity or Percent)
        {
            return MeasuresEqual(a, b);
        }

        if (a is Words != b is Words)
        {
            a = a is Words said ? Named(said) : a;
            b = b is Words stated ? Named(stated) : b;
        }

        if (a is Words || b is Words)
        {
            return a is Words x && b is Words y ? WordText.Normalize(x.Text) == WordText.Normalize(y.Text) : false;
        }

        if (FamilyOf(a) is not null || FamilyOf(b) is not null)
        {
            return FamiliesEqual(a, b);
        }

        if (ExpressionTree.IsScalar(a) && ExpressionTree.IsScalar(b))
        {
            return ScalarsEqual(a, b);
        }

        if (a is Relation || b is Relation)
        {
            return RelationsEqual(a, b);
        }

        if (a is BasedNumber || b is BasedNumber)
        {
            return a is BasedNumber left && b is BasedNumber right && left == right;
        }

        if (a is Ratio || b is Ratio)
        {
            return RatiosEqual(a, b);
        }

        return StructuresEqual(a, b);
    }

    /// <summary>False if the expression is undefined, as far as can be told.</summary>
    public static bool IsDefined(Expr a) => Simplifier.Simplify(a) is not Constant { Kind: ConstantKind.Undefined };

    /// <summary>Takes off what does not change the value: brackets around one value, ± as its two values, chains of equations as their ends.</summary>
    private Expr Unwrap(Expr a)
    {
        if (ExpressionTree.Any(a, node => node is PlusMinus) && a is not (SetOperation or SetBuilder))
        {
            a = Alternatives(a);
        }

        if (a is Relation relation)
        {
            a = RelationReader.Reduce(relation);
            if (a is Relation { Operands: [Expr left, Expr right], Signs: [{ Kind: RelationKind.Equal }] } && !RelationReader.IsName(left) && RelationReader.AsAssignment(a) is null
                && ExpressionTree.IsScalar(left) && ExpressionTree.IsScalar(right) && ExpressionTree.Symbols(left).Count == 0 && ExpressionTree.Symbols(right).Count == 0
                && (ScalarsEqual(left, right) is true || ExpressionTree.IsDecimal(left) || ExpressionTree.IsDecimal(right)))
            {
                a = right;
            }
        }

        if (a is Relation)
        {
            return a;
        }

        a = Simplifier.Simplify(a);
        return a is Sequence { Open: Bracket.None or Bracket.BareBrace, Items: [Expr only] } ? Unwrap(only) : a;
    }

    private bool? MeasuresEqual(Expr a, Expr b)
    {
        if (a is Quantity left && b is Quantity right && left.Unit.Length > 0 && right.Unit.Length > 0 && left.Unit != right.Unit)
        {
            return false;
        }

        if ((a is Quantity { Unit.Length: > 0 } said && WithUnit(b) is { Unit: var other1 } && other1.Contains('/', StringComparison.Ordinal) && other1 != said.Unit)
            || (b is Quantity { Unit.Length: > 0 } stated && WithUnit(a) is { Unit: var other2 } && other2.Contains('/', StringComparison.Ordinal) && other2 != stated.Unit))
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

        if (a is Quantity || b is Quantity)
        {
            return Equal(a is Quantity x ? x.Value : a, b is Quantity y ? y.Value : b);
        }

        if (a is Percent p && b is Percent q)
        {
            return Equal(p.Value, q.Value);
        }

        (Percent percent, Expr other) = a is Percent first ? (first, b) : ((Percent)b, a);
        if (other is Relation)
        {
            return RelationsEqual(percent, other);
        }

        return (!ExpressionTree.IsScalar(other) && other is not Ratio) || HasDegrees(other) ? false
            : Equal(percent.Value, other) is true ? true
            : Equal(Expr.Divide(percent.Value, Expr.Of(100)), other);
    }

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

    /// <summary>A value with ± as a list of its values. With ∓ in it all signs go together, else each is chosen on its own.</summary>
    private static Expr Alternatives(Expr a)
    {
        if (a is Sequence { Open: Bracket.None or Bracket.Brace or Bracket.BareBrace } list)
        {
            return list with { Items = [.. list.Items.SelectMany(item => Expand(item)).Take(MaxItems + 1)] };
        }

        return Sequence.List(Expand(a));
    }

    private static IReadOnlyList<Expr> Expand(Expr a)
    {
        if (!ExpressionTree.Any(a, node => node is PlusMinus))
        {
            return [a];
        }

        bool linked = ExpressionTree.Any(a, node => node is PlusMinus { MinusFirst: true });
        if (linked)
        {
            return [Choose(a, upper: true), Choose(a, upper: false)];
        }

        var results = new List<Expr> { a };
        while (results.Count <= MaxAlternatives && results.Exists(result => ExpressionTree.Any(result, node => node is PlusMinus)))
        {
            results = [.. results.SelectMany(result => new[] { ChooseFirst(result, true), ChooseFirst(result, false) })];
        }

        return results;
    }

    private static Expr Choose(Expr a, bool upper) => a is PlusMinus pair ? Signed(Choose(pair.Left, upper), Choose(pair.Right, upper), upper != pair.MinusFirst) : ExpressionTree.Map(a, child => Choose(child, upper));

    private static Expr ChooseFirst(Expr a, bool plus)
    {
        bool chosen = false;
        return Walk(a);

        Expr Walk(Expr node)
        {
            if (chosen)
            {
                return node;
            }

            if (node is PlusMinus pair && !ExpressionTree.Any(pair.Left, inner => inner is PlusMinus) && !ExpressionTree.Any(pair.Right, inner => inner is PlusMinus))
            {
                chosen = true;
                return Signed(pair.Left, pair.Right, plus);
            }

            return ExpressionTree.Map(node, Walk);
        }
    }

    private static Sum Signed(Expr left, Expr right, bool plus) => new([left, plus ? right : Expr.Negate(right)]);

    private bool? All(ImmutableArray<Expr> a, ImmutableArray<Expr> b)
    {
        if (a.Length != b.Length)
        {
            return false;
        }

        bool? equal = true;
        for (int i = 0; i < a.Length && equal is not false; i++)
        {
            equal = RealSetAlgebra.Both(equal, Equal(a[i], b[i]));
        }

        return equal;
    }
}
