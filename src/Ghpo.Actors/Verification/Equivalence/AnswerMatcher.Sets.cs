using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>Sets: by their elements, or of real numbers.</summary>
internal sealed partial class AnswerMatcher
{
    /// <summary>The elements of a union, intersection or difference of finite sets that are not sets of numbers; null if it is no such thing.</summary>
    private Sequence? Elements(Expr a)
    {
        if (a is Sequence { Open: Bracket.Brace or Bracket.BareBrace } set)
        {
            return set;
        }

        if (a is not SetOperation operation || Elements(operation.Left) is not Sequence left || Elements(operation.Right) is not Sequence right
            || left.Items.Length + right.Items.Length > MaxItems)
        {
            return null;
        }

        IEnumerable<Expr> items = operation.Operator switch
        {
            SetOperator.Union => left.Items.Concat(right.Items),
            SetOperator.Intersection => left.Items.Where(item => right.Items.Any(other => Equal(item, other) is true)),
            _ => left.Items.Where(item => !right.Items.Any(other => Equal(item, other) is not false)),
        };
        return new Sequence(Bracket.Brace, Bracket.Brace, [.. items], Connector.Comma);
    }

    /// <summary>The set of real numbers that an expression is; null if it is none.</summary>
    /// <param name="roundIsInterval">(a, b) is an open interval, not a point of the plane.</param>
    private RealSet? AsRealSet(Expr a, bool roundIsInterval = true)
    {
        switch (a)
        {
            case Sequence { Items: [Expr low, Expr high], Open: Bracket.Round or Bracket.Square, Close: Bracket.Round or Bracket.Square } pair
                when ExpressionTree.IsScalar(low) && ExpressionTree.IsScalar(high) && (roundIsInterval || FormOf(pair) != Form.Tuple):
                if (_scalars.Sign(Expr.Subtract(high, low)) is int order && (order < 0 || (order == 0 && FormOf(pair) != Form.Square)))
                {
                    // Its ends are the wrong way round: a point, or nothing. All empty intervals would be equal.
                    return null;
                }

                return RealSet.Of("", new Interval(low, high, pair.Open == Bracket.Square, pair.Close == Bracket.Square));
            case Sequence { Open: Bracket.Brace or Bracket.BareBrace } set when set.Items.All(item => ExpressionTree.IsScalar(item) && ExpressionTree.Symbols(item).Count == 0):
                return RealSet.Of("", [.. set.Items.Select(Interval.Point)]);
            case NamedSet { Name: "R" }:
                return RealSet.Of("", Interval.Everything);
            case NamedSet { Name: "R+" }:
                return RealSet.Of("", Interval.Everything with { Low = Expr.Zero });
            case NamedSet { Name: "R_ge" }:
                return RealSet.Of("", Interval.Everything with { Low = Expr.Zero, LowClosed = true });
            case NamedSet { Name: "R*" }:
                return RealSet.Of("", Interval.Everything with { High = Expr.Zero }, Interval.Everything with { Low = Expr.Zero });
            case NamedSet { Name: "R-" }:
                return RealSet.Of("", Interval.Everything with { High = Expr.Zero });
            case SetOperation operation when AsRealSet(operation.Left) is RealSet left && AsRealSet(operation.Right) is RealSet right:
                return operation.Operator switch
                {
                    SetOperator.Union => _sets.Union(left, right),
                    SetOperator.Intersection => _sets.Intersection(left, right),
                    SetOperator.Difference => _sets.Difference(left, right),
                    _ => null,
                };
            case SetBuilder builder:
                return AsRealSet(builder);
            case Relation relation:
                return Solve(relation);
            case Sequence { Open: Bracket.None } list when list.Items.All(item => item is Relation):
                return Combine(list);
            case Sequence { Open: Bracket.None, Items: [Relation { Operands: [Symbol, _], Signs: [{ Kind: RelationKind.NotEqual }] } first, .. var others] } list when others.All(item => ExpressionTree.IsScalar(item)):
                // x ≠ 1, 2
                return Combine(list with { Items = [first, .. others.Select(item => first with { Operands = [first.Operands[0], item] })] });
            case Sequence { Open: Bracket.None, Connector: not Connector.Comma } list when roundIsInterval && list.Items.All(IsInterval):
                // (−∞, 1) or (2, ∞)
                return list.Items.Select(item => AsRealSet(item)).Aggregate((all, next) => all is not null && next is not null ? _sets.Union(all, next) : null);
            default:
                return null;
        }
    }

    private static bool IsInterval(Expr a) => a is Sequence { Items: [_, _], Open: Bracket.Round or Bracket.Square, Close: Bracket.Round or Bracket.Square };

    /// <summary>{x : condition} and {x ∈ ℝ : condition}, of one real variable.</summary>
    private RealSet? AsRealSet(SetBuilder builder)
    {
        string variable;
        RealSet? domain = null;
        switch (builder.Element)
        {
            case Symbol symbol:
                variable = symbol.Name;
                break;
            case Relation { Operands: [Symbol symbol, Expr set], Signs: [{ Kind: RelationKind.Element }] } when AsRealSet(set) is RealSet known:
                (variable, domain) = (symbol.Name, known);
                break;
            default:
                return null;
        }

        RealSet? condition = AsRealSet(builder.Condition);
        if (condition is null || condition.Variable != variable)
        {
            return null;
        }

        condition = condition with { Variable = "" };
        return domain is null ? condition : _sets.Intersection(condition, domain);
    }
}
