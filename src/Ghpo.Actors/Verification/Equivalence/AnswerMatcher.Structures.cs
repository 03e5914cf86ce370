using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>Lists, sets, tuples, intervals and matrices.</summary>
internal sealed partial class AnswerMatcher
{
    private enum Form
    {
        /// <summary>Unbracketed: in any order against its like, in its own against a tuple.</summary>
        List,

        /// <summary>Braces that LaTeX does not print: a list or a set.</summary>
        ListOrSet,
        Set,
        Tuple,
        Square,
        HalfOpen,
        None,
    }

    private static Form FormOf(Expr a) => a is not Sequence sequence ? Form.None : (sequence.Open, sequence.Close) switch
    {
        (Bracket.None, _) => Form.List,
        (Bracket.BareBrace, _) => Form.ListOrSet,
        (Bracket.Brace, _) => Form.Set,
        (Bracket.Round, Bracket.Round) or (Bracket.Angle, Bracket.Angle) => Form.Tuple,
        (Bracket.Square, Bracket.Square) => Form.Square,
        _ => Form.HalfOpen,
    };

    private bool? StructuresEqual(Expr a, Expr b)
    {
        if (a is Matrix x && b is Matrix y)
        {
            return x.Rows.Length != y.Rows.Length || x.Columns != y.Columns ? false : All([.. x.Rows.SelectMany(row => row)], [.. y.Rows.SelectMany(row => row)]);
        }

        if (a is Matrix || b is Matrix)
        {
            return a is Matrix first ? MatrixEquals(first, b) : MatrixEquals((Matrix)b, a);
        }

        if (FormOf(a) == Form.Tuple && ExpressionTree.IsScalar(b))
        {
            return Coordinates(b) is Sequence point ? Equal(a, point) : ByUnitVectors(((Sequence)a).Items, b);
        }

        if (FormOf(b) == Form.Tuple && ExpressionTree.IsScalar(a))
        {
            return Coordinates(a) is Sequence named ? Equal(named, b) : ByUnitVectors(((Sequence)b).Items, a);
        }

        (a, b) = (IsUnknown(b) ? Unnumbered(a) ?? a : a, IsUnknown(a) ? Unnumbered(b) ?? b : b);
        if ((IsSystem(a) != IsSystem(b) || (IsSystem(a) && (HasInequality(a) || HasInequality(b)))) && AsRealSet(a) is RealSet system && AsRealSet(b) is RealSet solution)
        {
            return _sets.Equal(system, solution);
        }

        if (IsSystem(a) && IsSystem(b) && HasInequality(a) && ((Sequence)a).Connector is var x1 && ((Sequence)b).Connector is var x2 && x1 != x2 && (x1 == Connector.Or || x2 == Connector.Or))
        {
            return false;
        }

        if (IsSystem(a) && IsSystem(b) && AreAlternatives((Sequence)a, (Sequence)b))
        {
            return false;
        }

        (a, b) = (FormOf(b) == Form.Tuple ? InOrder(a) : a, FormOf(a) == Form.Tuple ? InOrder(b) : b);
        if ((IsSystem(a) || IsSystem(b)) && (Grouped(a) is not null || Grouped(b) is not null))
        {
            return Equal(Grouped(a) ?? a, Grouped(b) ?? b);
        }

        if (a is Sequence s && b is Sequence t && SequencesEqual(s, t) is bool decided)
        {
            return decided;
        }

        // A list against a single value: only a set or list of that one value.
        if (a is Sequence { Items: [Expr only] } && FormOf(a) is Form.List or Form.ListOrSet && ExpressionTree.IsScalar(b))
        {
            return Equal(only, b);
        }

        if (b is Sequence { Items: [Expr one] } && FormOf(b) is Form.List or Form.ListOrSet && ExpressionTree.IsScalar(a))
        {
            return Equal(a, one);
        }

        if (AsRealSet(a, IntervalForm(b)) is RealSet left && AsRealSet(b, IntervalForm(a)) is RealSet right)
        {
            return _sets.Equal(left, right);
        }

        a = Elements(a) ?? a;
        b = Elements(b) ?? b;
        return (a, b) switch
        {
            (Sequence u, Sequence v) => SequencesEqual(u, v) ?? false,
            (Sequence, _) or (_, Sequence) => false,

            // What nothing more is known of equals the same.
            _ => !ExpressionTree.Any(a, node => node is Constant { Kind: ConstantKind.Undefined }) && ExprKey.Of(a) == ExprKey.Of(b),
        };
    }

    /// <returns>Null if neither is more than a set of numbers, which are compared as such.</returns>
    private bool? SequencesEqual(Sequence a, Sequence b)
    {
        (Form x, Form y) = (FormOf(a), FormOf(b));
        bool unordered = x is Form.List or Form.ListOrSet or Form.Set && y is Form.List or Form.ListOrSet or Form.Set;
        if (unordered)
        {
            // Repeating a solution does not make another one of it; repeated numbers may count.
            bool set = x == Form.Set || y == Form.Set || (a.Items.Length != b.Items.Length && a.Items.All(IsTuple) && b.Items.All(IsTuple));
            return Matching(set ? Distinct(a.Items) : a.Items, set ? Distinct(b.Items) : b.Items);
        }

        if (x == Form.Set || y == Form.Set)
        {
            return !_options.Strict && x is Form.Set or Form.Tuple && y is Form.Set or Form.Tuple ? All(a.Items, b.Items) : null;
        }

        if (x is Form.HalfOpen || y is Form.HalfOpen)
        {
            return x == y && a.Open == b.Open && a.Close == b.Close ? All(a.Items, b.Items) : null;
        }

        bool pair = a.Items.Length == 2 && (x == Form.Square) != (y == Form.Square);
        return pair ? (x is Form.List or Form.ListOrSet || y is Form.List or Form.ListOrSet || IntervalForm(a) == IntervalForm(b) ? false : null) : All(a.Items, b.Items);
    }

    /// <summary>Several relations, of which each may be an inequality.</summary>
    private static bool IsSystem(Expr a) => FormOf(a) == Form.List && ((Sequence)a).Items.All(item => item is Relation);

    /// <summary>One says "and", the other "or", of different unknowns: x = 0 or y = 0 is another thing than x = 0 and y = 0.</summary>
    private static bool AreAlternatives(Sequence a, Sequence b) =>
        ((a.Connector, b.Connector) is (Connector.And, Connector.Or) or (Connector.Or, Connector.And)) && a.Items.Select(item => RelationReader.AsAssignment(item)?.Name).Distinct().Count() > 1;

    /// <summary>y = 1, x = 2 as x = 2, y = 1: the order that a point of the plane or of space has its coordinates in. Other names stay as they are written.</summary>
    private static Expr InOrder(Expr a) =>
        IsSystem(a) && a is Sequence system && system.Items.All(item => RelationReader.AsAssignment(item) is { Left: Symbol { Name: "x" or "y" or "z" } })
            ? system with { Items = [.. system.Items.OrderBy(item => RelationReader.AsAssignment(item)!.Name, StringComparer.Ordinal)] }
            : a;

    private static bool HasInequality(Expr a) =>
        a is Sequence list && list.Items.Any(item => item is Relation relation && relation.Signs.Any(sign => RelationReader.IsInequality(sign.Kind) || sign.Kind == RelationKind.NotEqual));

    /// <summary>x = 1, y = 2 or x = 2, y = 1 as (x, y) = (1, 2), (x, y) = (2, 1): which values go together matters. Null if no name is given twice, or only one name is given.</summary>
    private static Sequence? Grouped(Expr a)
    {
        if (!IsSystem(a) || ((Sequence)a).Items is var items && items.Length < 4)
        {
            return null;
        }

        var groups = new List<SortedDictionary<string, Assignment>> { new(StringComparer.Ordinal) };
        foreach (Expr item in items)
        {
            if (RelationReader.AsAssignment(item) is not { Left: Symbol } assignment)
            {
                return null;
            }

            if (groups[^1].ContainsKey(assignment.Name))
            {
                groups.Add(new(StringComparer.Ordinal));
            }

            groups[^1][assignment.Name] = assignment;
        }

        if (groups.Count < 2 || groups[0].Count < 2 || groups.Any(group => !group.Keys.SequenceEqual(groups[0].Keys)))
        {
            return null;
        }

        var equal = new RelationSign(RelationKind.Equal, "");
        Sequence Tuple(IEnumerable<Expr> parts) => new(Bracket.Round, Bracket.Round, [.. parts], Connector.Comma);
        return Sequence.List(groups.Select(group => (Expr)new Relation([Tuple(group.Values.Select(one => one.Left)), Tuple(group.Values.Select(one => one.Value))], [equal])));
    }

    private static bool IsTuple(Expr a) => FormOf(a) == Form.Tuple;

    /// <summary>Whether the other side makes a pair in round brackets an interval.</summary>
    private static bool IntervalForm(Expr other) => FormOf(other) is not (Form.Tuple or Form.List or Form.ListOrSet) || other is Relation or SetOperation or SetBuilder or NamedSet;
}
