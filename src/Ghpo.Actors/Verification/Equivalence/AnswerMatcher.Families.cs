using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>Families of answers with a parameter: x = π/4 + kπ, k ∈ ℤ. A parameter that is declared may have any name.</summary>
internal sealed partial class AnswerMatcher
{
    private const int MaxParameters = 3;

    private sealed record Family(Expr Core, ImmutableArray<(string Name, string Set)> Parameters);

    /// <summary>An answer and the parameters that it declares; null if it declares none.</summary>
    private static Family? FamilyOf(Expr a) => a switch
    {
        SetBuilder { Element: not (Symbol or Relation) } builder => Split([builder.Element, .. Items(builder.Condition)]),
        SetBuilder { Element: Symbol, Condition: Sequence { Open: Bracket.None } list } => Split(list.Items),
        Sequence { Open: Bracket.None } list => Split(list.Items),
        _ => null,
    };

    private static ImmutableArray<Expr> Items(Expr a) => a is Sequence { Open: Bracket.None } list ? list.Items : [a];

    private static Family? Split(ImmutableArray<Expr> items)
    {
        var core = new List<Expr>();
        var parameters = ImmutableArray.CreateBuilder<(string, string)>();
        foreach (Expr item in items)
        {
            if (item is Relation { Operands: [Symbol name, NamedSet set], Signs: [{ Kind: RelationKind.Element }] })
            {
                if (parameters.Any(parameter => parameter.Item1 == name.Name))
                {
                    continue;
                }

                parameters.Add((name.Name, set.Name));
            }
            else
            {
                core.Add(item);
            }
        }

        bool used = core.Count > 0 && parameters.Count is > 0 and <= MaxParameters && parameters.All(parameter => core.Exists(item => ExpressionTree.Symbols(item).Contains(parameter.Item1)));
        return used ? new Family(core.Count == 1 ? core[0] : Sequence.List(core), parameters.ToImmutable()) : null;
    }

    private bool? FamiliesEqual(Expr a, Expr b)
    {
        if (FamilyOf(a) is not Family x)
        {
            return FamiliesEqual(b, a);
        }

        if (FamilyOf(b) is Family y)
        {
            return x.Parameters.Length == y.Parameters.Length ? Renamings(x, y) : false;
        }

        bool? equal = Equal(x.Core, b);
        if (equal is true || x.Parameters is not [var (own, set)])
        {
            return equal;
        }

        // The other side leaves it unsaid what its letter stands for.
        SortedSet<string> others = ExpressionTree.Symbols(b);
        others.ExceptWith(ExpressionTree.Symbols(x.Core));
        return others.Count == 1 && !ExpressionTree.Symbols(b).Contains(own) && others.Min is "k" or "n" or "m" or "l" or "j" ? Renamings(x, new Family(b, [(others.Min!, set)])) : equal;
    }

    /// <summary>Whether some pairing of the parameters, each with one of the same set, makes the families the same.</summary>
    private bool? Renamings(Family x, Family y)
    {
        bool? result = false;
        foreach (int[] order in Orders(x.Parameters.Length))
        {
            if (order.Where((from, i) => x.Parameters[i].Set != y.Parameters[from].Set).Any())
            {
                continue;
            }

            var names = order.Select((from, i) => (From: y.Parameters[from].Name, To: x.Parameters[i].Name)).ToDictionary(pair => pair.From, pair => pair.To, StringComparer.Ordinal);
            Expr renamed = ExpressionTree.Substitute(y.Core, symbol => names.TryGetValue(symbol.Name, out string? name) ? new Symbol(name) : symbol);
            bool? equal = Equal(x.Core, renamed);
            equal = equal is true || x.Parameters is not [(var parameter, "Z")] ? equal : Shifted(x.Core, renamed, parameter);
            if (equal is true)
            {
                return true;
            }

            result = equal is null ? null : result;
        }

        return result;
    }

    private static IEnumerable<int[]> Orders(int count) => count switch
    {
        1 => [[0]],
        2 => [[0, 1], [1, 0]],
        _ => [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]],
    };

    /// <summary>α + βk and γ ± βk run through the same values for k ∈ ℤ if (α − γ)/β is a whole number. Item by item.</summary>
    private bool? Shifted(Expr a, Expr b, string parameter)
    {
        ImmutableArray<Expr> left = Items(a);
        List<Expr> right = [.. Items(b)];
        if (left.Length != right.Count || left.Length > MaxItems)
        {
            return false;
        }

        foreach (Expr item in left)
        {
            int partner = right.FindIndex(other => SameProgression(item, other, parameter));
            if (partner < 0)
            {
                return false;
            }

            right.RemoveAt(partner);
        }

        return true;
    }

    private bool SameProgression(Expr a, Expr b, string parameter)
    {
        Assignment? x = RelationReader.AsAssignment(a);
        Assignment? y = RelationReader.AsAssignment(b);
        a = x?.Value ?? a;
        b = y?.Value ?? b;
        if ((x is not null && y is not null && x.Name != y.Name) || !ExpressionTree.IsScalar(a) || !ExpressionTree.IsScalar(b)
            || Progression(a, parameter) is not (Expr start, Expr step) || Progression(b, parameter) is not (Expr other, Expr otherStep))
        {
            return false;
        }

        if (_scalars.Equal(step, Expr.Zero) is not false || (_scalars.Equal(step, otherStep) is not true && _scalars.Equal(step, Expr.Negate(otherStep)) is not true))
        {
            return false;
        }

        Expr steps = Simplifier.Simplify(Expr.Divide(Expr.Subtract(start, other), step));
        return _scalars.Equal(steps, new Call("floor", [new Sum([steps, Expr.Divide(Expr.One, Expr.Of(2))])])) is true;
    }

    private (Expr Start, Expr Step)? Progression(Expr a, string parameter)
    {
        Expr At(int value) => Simplifier.Simplify(ExpressionTree.Substitute(a, symbol => symbol.Name == parameter ? Expr.Of(value) : symbol));
        Expr start = At(0);
        Expr step = Simplifier.Simplify(Expr.Subtract(At(1), start));
        return _scalars.Equal(a, new Sum([start, new Product([step, new Symbol(parameter)])])) is true ? (start, step) : null;
    }
}
