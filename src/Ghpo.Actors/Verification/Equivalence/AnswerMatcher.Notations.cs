using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>The same thing in notations of different structure: vectors by their unit vectors, matrices as nested lists, sets in words, points by name.</summary>
internal sealed partial class AnswerMatcher
{
    /// <summary>ℝ or ∅ where the words say so.</summary>
    private static Expr Named(Words words) => WordText.Normalize(words.Text) switch
    {
        "allrealnumbers" or "allreals" or "realnumbers" or "thesetofallrealnumbers" or "setofallrealnumbers" or "thesetofrealnumbers" or "anyrealnumber" => new NamedSet("R"),
        "allrealx" or "allrealvalues" or "allrealvaluesofx" or "anyreal" or "everyrealnumber" => new NamedSet("R"),
        "allpositiverealnumbers" or "positiverealnumbers" or "allpositivereals" or "positivereals" or "thepositiverealnumbers" or "thepositivereals" => new NamedSet("R+"),
        "allnegativerealnumbers" or "negativerealnumbers" or "allnegativereals" or "negativereals" => new NamedSet("R-"),
        "allnonnegativerealnumbers" or "nonnegativerealnumbers" or "allnonnegativereals" or "nonnegativereals" or "allnon-negativerealnumbers" or "non-negativerealnumbers" => new NamedSet("R_ge"),
        "emptyset" or "theemptyset" => new Sequence(Bracket.Brace, Bracket.Brace, [], Connector.Comma),
        _ => words,
    };

    /// <summary>The coordinates of P(1, 2) without the point's name; null if it is no such thing.</summary>
    private static Sequence? Coordinates(Expr a) =>
        a is Call { Applied: true, Name: [>= 'A' and <= 'Z'], Arguments: { Length: >= 2 } coordinates } ? new Sequence(Bracket.Round, Bracket.Round, coordinates, Connector.Comma) : null;

    /// <summary>Number of combinations as C(n, k), which stands for one where a value is asked for.</summary>
    private static Expr Combinations(Expr a) =>
        a is Call { Applied: true, Name: "C", Arguments: [Number { Value.IsInteger: true } n, Number { Value: { IsInteger: true, Sign: >= 0 } } k] } && Rational.Compare(k.Value, n.Value) <= 0
            ? Simplifier.Simplify(new Call("binomial", [n, k]))
            : a;

    /// <summary>Entries row by row of a matrix, or of lists in square brackets one in the other; null if it is neither.</summary>
    private static ImmutableArray<ImmutableArray<Expr>>? RowsOf(Expr a) => a switch
    {
        Matrix matrix => matrix.Rows,
        Sequence { Open: Bracket.Square, Close: Bracket.Square } rows when rows.Items.All(row => row is Sequence { Open: Bracket.Square, Close: Bracket.Square }) => [.. rows.Items.Select(row => ((Sequence)row).Items)],
        _ => null,
    };

    private bool? MatrixEquals(Matrix matrix, Expr other)
    {
        if (RowsOf(other) is { } rows)
        {
            return rows.Length == matrix.Rows.Length && rows.All(row => row.Length == matrix.Columns) ? All([.. matrix.Rows.SelectMany(row => row)], [.. rows.SelectMany(row => row)]) : false;
        }

        if ((matrix.Columns == 1 || matrix.Rows.Length == 1) && FormOf(other) is Form.Tuple or Form.Square)
        {
            return All([.. matrix.Rows.SelectMany(row => row)], ((Sequence)other).Items);
        }

        return matrix is { Columns: 1, Rows.Length: 1 } ? Equal(matrix.Rows[0][0], other) : matrix.Columns == 1 ? ByUnitVectors([.. matrix.Rows.Select(row => row[0])], other) : false;
    }

    /// <summary>2i − 3j + k against its components: the sum has to be linear in the unit vectors, with one beside i in it.</summary>
    private bool ByUnitVectors(ImmutableArray<Expr> components, Expr sum)
    {
        if (components.Length is not (2 or 3) || !ExpressionTree.IsScalar(sum) || !components.All(ExpressionTree.IsScalar))
        {
            return false;
        }

        string[] symbols = [.. ExpressionTree.Symbols(sum)];
        if (!symbols.Any(name => UnitVector(name) >= 0))
        {
            return false;
        }

        var expected = new Sum([.. components.Select((component, i) => (Expr)new Product([component, new Symbol("#unit" + i)]))]);
        Expr found = ExpressionTree.Substitute(ExpressionTree.ReplaceConstant(sum, ConstantKind.I, new Symbol("#unit0")), symbol => UnitVector(symbol.Name) is int index and >= 0 ? new Symbol("#unit" + index) : symbol);
        return _scalars.Equal(found, expected) is true;
    }

    /// <summary>0, 1, 2 for i, j, k under an accent, and for plain j and k; −1 for other names.</summary>
    private static int UnitVector(string name) => name switch
    {
        @"\hat{i}" or @"\vec{i}" or @"\overline{i}" => 0,
        @"\hat{j}" or @"\vec{j}" or @"\overline{j}" or "j" => 1,
        @"\hat{k}" or @"\vec{k}" or @"\overline{k}" or "k" => 2,
        _ => -1,
    };

    /// <summary>Functions by cases: the same values under the same conditions, in any order.</summary>
    private bool? CasesEqual(Call a, Call b)
    {
        if (a.Arguments is not [Matrix x] || b.Arguments is not [Matrix y] || x.Columns != y.Columns)
        {
            return false;
        }

        static ImmutableArray<Expr> Rows(Matrix cases) => [.. cases.Rows.Select(row => new Sequence(Bracket.Round, Bracket.Round, row, Connector.Comma))];
        return Matching(Rows(x), Rows(y));
    }

    /// <summary>Residues: the same modulus, and a difference that it divides.</summary>
    private bool? ResiduesEqual(Call a, Call b)
    {
        bool? moduli = _scalars.Equal(a.Arguments[1], b.Arguments[1]);
        if (moduli is not true || _scalars.Equal(a.Arguments[0], b.Arguments[0]) is true)
        {
            return moduli;
        }

        return Simplifier.Simplify(Expr.Divide(Expr.Subtract(a.Arguments[0], b.Arguments[0]), a.Arguments[1])) is Number { Value.IsInteger: true, IsDecimal: false };
    }
}
