using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>Equations, assignments and inequalities.</summary>
internal sealed partial class AnswerMatcher
{
    private bool? RelationsEqual(Expr a, Expr b)
    {
        Assignment? x = RelationReader.AsAssignment(a);
        Assignment? y = RelationReader.AsAssignment(b);
        if (x is not null && y is not null)
        {
            return AssignmentsEqual(x, y, a, b);
        }

        if (x is not null && b is not Relation)
        {
            return AssignmentEquals(x, a, b);
        }

        if (y is not null && a is not Relation)
        {
            return AssignmentEquals(y, b, a);
        }

        if (a is Relation left && b is Relation right)
        {
            bool? same = SameRelation(left, right);
            return same is true ? true : SetsEqual(a, b) ?? same;
        }

        // n ≡ 1 (mod 4) names the residue that 1 (mod 4) is.
        if ((Residue(a) is not null && b is Call { Name: "pmod" }) || (Residue(b) is not null && a is Call { Name: "pmod" }))
        {
            return Equal(Residue(a) ?? a, Residue(b) ?? b);
        }

        // x ∈ {1, 2} says what {1, 2} does.
        return SetsEqual(a, b) ?? (ElementsOf(a) is Expr set ? Equal(set, b) : ElementsOf(b) is Expr other ? Equal(a, other) : false);
    }

    private static Call? Residue(Expr a) => a is Relation { Operands: [Symbol, Call { Name: "pmod" } residue], Signs: [{ Name: "equiv" }] } ? residue : null;

    private static Expr? ElementsOf(Expr a) =>
        a is Relation { Operands: [var element, Sequence { Open: Bracket.Brace or Bracket.BareBrace } set], Signs: [{ Kind: RelationKind.Element }] } && RelationReader.IsName(element) ? set : null;

    private bool? SetsEqual(Expr a, Expr b) => AsRealSet(a) is RealSet left && AsRealSet(b) is RealSet right ? _sets.Equal(left, right) : null;

    private bool? AssignmentsEqual(Assignment x, Assignment y, Expr a, Expr b)
    {
        bool function = (x.Name == "mapsto" && y.Name.EndsWith("(1)", StringComparison.Ordinal)) || (y.Name == "mapsto" && x.Name.EndsWith("(1)", StringComparison.Ordinal));
        if (x.Name == y.Name || function)
        {
            return Equal(x.Renamed, y.Renamed);
        }

        if (RelationReader.Distribute(a) is Sequence parts && RelationReader.Distribute(b) is Sequence others)
        {
            return Matching(parts.Items, others.Items);
        }

        return SameRelation((Relation)a, (Relation)b);
    }

    /// <summary>x = 5 against 5; (x, y) = (1, 2) against a list.</summary>
    private bool? AssignmentEquals(Assignment assignment, Expr whole, Expr other)
    {
        if (FormOf(other) == Form.Tuple && RelationReader.Distribute(whole) is Sequence named && InOrder(named) is Sequence sorted && !sorted.Items.SequenceEqual(named.Items))
        {
            return Equal(sorted, other);
        }

        bool? equal = Equal(assignment.Value, other);
        return equal is true || RelationReader.Distribute(whole) is not Sequence parts || FormOf(other) is not (Form.List or Form.ListOrSet) ? equal
            : Equal(parts, other);
    }

    private bool? SameRelation(Relation a, Relation b)
    {
        if (a.Signs.Length != b.Signs.Length)
        {
            return false;
        }

        if (a.Signs.Length == 1)
        {
            return SamePair(a.Operands[0], a.Signs[0], a.Operands[1], b.Operands[0], b.Signs[0], b.Operands[1]);
        }

        // A chain, or the same one read from its other end.
        bool? forth = ChainsEqual(a.Operands, a.Signs, b.Operands, b.Signs);
        return forth is true ? true
            : ChainsEqual(a.Operands, a.Signs, [.. b.Operands.Reverse()], [.. b.Signs.Reverse().Select(sign => sign with { Kind = RelationReader.Flip(sign.Kind) })]);
    }

    private bool? ChainsEqual(ImmutableArray<Expr> a, ImmutableArray<RelationSign> aSigns, ImmutableArray<Expr> b, ImmutableArray<RelationSign> bSigns) =>
        aSigns.SequenceEqual(bSigns) ? All(a, b) : false;

    /// <summary>Two relations of two sides: equal if their differences are, up to a factor that is not 0 and, for an inequality, not negative.</summary>
    private bool? SamePair(Expr a, RelationSign sign, Expr b, Expr c, RelationSign other, Expr d)
    {
        if (sign.Kind is RelationKind.Element or RelationKind.Other or RelationKind.Approximately)
        {
            return sign == other ? RealSetAlgebra.Both(Equal(a, c), Equal(b, d)) : false;
        }

        if (!new[] { a, b, c, d }.All(ExpressionTree.IsScalar))
        {
            bool? straight = sign == other ? RealSetAlgebra.Both(Equal(a, c), Equal(b, d)) : false;
            return straight is true ? true : sign.Kind == RelationReader.Flip(other.Kind) ? RealSetAlgebra.Both(Equal(a, d), Equal(b, c)) : straight;
        }

        bool strict = sign.Kind is RelationKind.Less or RelationKind.Greater;
        bool otherStrict = other.Kind is RelationKind.Less or RelationKind.Greater;
        bool inequality = RelationReader.IsInequality(sign.Kind);
        if (inequality != RelationReader.IsInequality(other.Kind) || (inequality ? strict != otherStrict : sign.Kind != other.Kind))
        {
            return false;
        }

        Expr left = sign.Kind is RelationKind.Greater or RelationKind.GreaterOrEqual ? Expr.Subtract(b, a) : Expr.Subtract(a, b);
        Expr right = other.Kind is RelationKind.Greater or RelationKind.GreaterOrEqual ? Expr.Subtract(d, c) : Expr.Subtract(c, d);
        return Proportional(Simplifier.Simplify(left), Simplifier.Simplify(right), inequality);
    }

    /// <summary>
    /// Whether p = k q with a constant k ≠ 0 (k > 0 if asked): the cross products p(x) q(x₀) and q(x) p(x₀) are equal for a point x₀ at which neither is 0.
    /// </summary>
    private bool? Proportional(Expr p, Expr q, bool positive)
    {
        SortedSet<string> symbols = ExpressionTree.Symbols(p);
        if (!symbols.SetEquals(ExpressionTree.Symbols(q)))
        {
            return false;
        }

        if (symbols.Count == 0)
        {
            return _scalars.Equal(p, q);
        }

        foreach (int denominator in (ReadOnlySpan<int>)[7, 9, 8])
        {
            int next = denominator;
            var at = symbols.ToDictionary(name => name, _ => (Expr)new Number(Rational.Of(SmallPrimes[next++ % SmallPrimes.Length], denominator)!.Value, false), StringComparer.Ordinal);
            Expr p0 = Simplifier.Simplify(ExpressionTree.Substitute(p, symbol => at.GetValueOrDefault(symbol.Name, symbol)));
            Expr q0 = Simplifier.Simplify(ExpressionTree.Substitute(q, symbol => at.GetValueOrDefault(symbol.Name, symbol)));
            if (_scalars.Equal(p0, Expr.Zero) is not false || _scalars.Equal(q0, Expr.Zero) is not false)
            {
                // A point on the curve says nothing of the factor.
                continue;
            }

            return positive && (_scalars.Sign(p0) is not int signP || _scalars.Sign(q0) != signP) ? false : _scalars.Equal(new Product([p, q0]), new Product([q, p0]));
        }

        return _scalars.Equal(p, q);
    }

    private static readonly int[] SmallPrimes = [11, 13, 17, 19, 23, 29, 31, 37, 41, 43];
}
