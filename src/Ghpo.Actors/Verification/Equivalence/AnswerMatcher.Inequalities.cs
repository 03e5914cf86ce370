using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>Inequalities of one variable as the sets of numbers that they hold for.</summary>
internal sealed partial class AnswerMatcher
{
    /// <summary>An inequality in one variable that is solved, or linear: the set of its solutions.</summary>
    /// <param name="equations">x = 1 is a set of one point.</param>
    private RealSet? Solve(Relation relation, bool equations = false)
    {
        if (relation.Signs is [{ Kind: RelationKind.Element }])
        {
            return relation.Operands[0] is Symbol element && AsRealSet(relation.Operands[1]) is RealSet set ? set with { Variable = element.Name } : null;
        }

        if (!relation.Operands.All(ExpressionTree.IsScalar) || !relation.Signs.All(sign => RelationReader.IsInequality(sign.Kind) || sign.Kind == RelationKind.NotEqual || (equations && sign.Kind == RelationKind.Equal)))
        {
            return null;
        }

        relation = relation with { Operands = [.. relation.Operands.Select(Simplifier.Simplify)] };
        if (relation.Operands.Any(operand => !AnswerMatcher.IsDefined(operand)))
        {
            return null;
        }

        if (relation.Operands is [Expr low, Symbol middle, Expr high] && !ExpressionTree.Symbols(low).Contains(middle.Name) && !ExpressionTree.Symbols(high).Contains(middle.Name)
            && Between(middle.Name, low, relation.Signs[0].Kind, relation.Signs[1].Kind, high) is RealSet between)
        {
            return between;
        }

        RealSet? result = null;
        for (int i = 0; i < relation.Signs.Length; i++)
        {
            RealSet? next = SolvePair(relation.Operands[i], relation.Signs[i].Kind, relation.Operands[i + 1]);
            if (next is null || (result is not null && result.Variable != next.Variable))
            {
                return null;
            }

            result = result is null ? next : _sets.Intersection(result, next);
        }

        return result;
    }

    /// <summary>a &lt; x &lt; b, or b > x > a, whatever the ends.</summary>
    private static RealSet? Between(string variable, Expr left, RelationKind first, RelationKind second, Expr right) => (first, second) switch
    {
        (RelationKind.Less or RelationKind.LessOrEqual, RelationKind.Less or RelationKind.LessOrEqual) =>
            RealSet.Of(variable, new Interval(left, right, first == RelationKind.LessOrEqual, second == RelationKind.LessOrEqual)),
        (RelationKind.Greater or RelationKind.GreaterOrEqual, RelationKind.Greater or RelationKind.GreaterOrEqual) =>
            RealSet.Of(variable, new Interval(right, left, second == RelationKind.GreaterOrEqual, first == RelationKind.GreaterOrEqual)),
        _ => null,
    };

    private RealSet? SolvePair(Expr left, RelationKind kind, Expr right)
    {
        if (left is not Symbol && right is Symbol)
        {
            (left, right, kind) = (right, left, RelationReader.Flip(kind));
        }

        if (left is Symbol variable)
        {
            SortedSet<string> bound = ExpressionTree.Symbols(right);
            return bound.Count > 0 ? null : HalfLine(variable.Name, kind, right);
        }

        return Linear(left, kind, right);
    }

    private static RealSet HalfLine(string name, RelationKind kind, Expr end) => HalfLineOf(name == Symbol.Unnamed ? "" : name, kind, end);

    private static RealSet HalfLineOf(string variable, RelationKind kind, Expr end) => kind switch
    {
        RelationKind.Less => RealSet.Of(variable, new Interval(RealSet.MinusInfinity, end, false, false)),
        RelationKind.LessOrEqual => RealSet.Of(variable, new Interval(RealSet.MinusInfinity, end, false, true)),
        RelationKind.Greater => RealSet.Of(variable, new Interval(end, Constant.Infinity, false, false)),
        RelationKind.GreaterOrEqual => RealSet.Of(variable, new Interval(end, Constant.Infinity, true, false)),
        RelationKind.Equal => RealSet.Of(variable, Interval.Point(end)),
        _ => RealSet.Of(variable, new Interval(RealSet.MinusInfinity, end, false, false), new Interval(end, Constant.Infinity, false, false)),
    };

    /// <summary>α x + β R 0 as x R −β/α, the sign turned for α &lt; 0.</summary>
    private RealSet? Linear(Expr left, RelationKind kind, Expr right)
    {
        Expr difference = Expr.Subtract(left, right);
        if (ExpressionTree.Symbols(difference) is not { Count: 1 } symbols)
        {
            return null;
        }

        string name = symbols.Min!;
        Expr At(int value) => Simplifier.Simplify(ExpressionTree.Substitute(difference, _ => Expr.Of(value)));
        Expr beta = At(0);
        Expr alpha = Simplifier.Simplify(Expr.Subtract(At(1), beta));
        if (_scalars.Sign(alpha) is not int sign || sign == 0 || _scalars.Equal(difference, new Sum([new Product([alpha, new Symbol(name)]), beta])) is not true)
        {
            return null;
        }

        Expr end = Simplifier.Simplify(Expr.Negate(Expr.Divide(beta, alpha)));
        return HalfLine(name, sign > 0 ? kind : RelationReader.Flip(kind), end);
    }

    /// <summary>
    /// Several inequalities: with "or" any of them holds, with "and" all of them. With a comma all of them do, unless that cannot be, as in x &lt; −1, x > 1.
    /// </summary>
    private RealSet? Combine(Sequence list)
    {
        RealSet? all = null;
        RealSet? any = null;
        bool equations = HasInequality(list);
        foreach (Expr item in list.Items)
        {
            if (Solve((Relation)item, equations) is not RealSet next || (any is not null && any.Variable != next.Variable))
            {
                return null;
            }

            any = any is null ? next : _sets.Union(any, next);
            all = all is null ? next : _sets.Intersection(all, next);
            if (any is null || all is null)
            {
                return null;
            }
        }

        return list.Connector == Connector.Or || (list.Connector == Connector.Comma && all!.Intervals.Count == 0) ? any : all;
    }
}
