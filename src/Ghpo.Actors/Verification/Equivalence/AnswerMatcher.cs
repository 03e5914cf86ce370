using System.Collections.Immutable;
using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;

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

        if (Shared(a) is not null || Shared(b) is not null)
        {
            (a, b) = SharedApart(a, b);
        }

        if (Unrestricted(a) is null != Unrestricted(b) is null)
        {
            (a, b) = (Unrestricted(a) ?? a, Unrestricted(b) ?? b);
        }

        (a, b) = (Unwrap(a), Unwrap(b));
        (a, b) = (b is Sequence ? a : Repeated(a), a is Sequence ? b : Repeated(b));
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
            return a is Words x && b is Words y && WordText.Equal(x.Text, y.Text);
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
        if (ExpressionTree.Any(a, node => node is PlusMinus) && a is not SetBuilder)
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

    /// <summary>A value with ± as a list of its values. With ∓ in it all signs go together, else each is chosen on its own.</summary>
    private static Expr Alternatives(Expr a)
    {
        if (a is SetOperation operation)
        {
            return operation with { Left = Alternatives(operation.Left), Right = Alternatives(operation.Right) };
        }

        if (!ExpressionTree.Any(a, node => node is PlusMinus))
        {
            return a;
        }

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
