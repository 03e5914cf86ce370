using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>A name and the value that it is given: x = 5, f(x) = 2x, (x, y) = (1, 2).</summary>
/// <param name="Name">Canonical text of the left side; of a function without its variables.</param>
/// <param name="Renamed">The value with a function's variables renamed by position.</param>
internal sealed record Assignment(string Name, Expr Left, Expr Value, Expr Renamed);

/// <summary>What relations say.</summary>
internal static class RelationReader
{
    /// <summary>
    /// Drops approximations at the end, and of a chain of equations what stands between its first name and its last value.
    /// </summary>
    public static Expr Reduce(Relation relation)
    {
        ImmutableArray<Expr> operands = relation.Operands;
        ImmutableArray<RelationSign> signs = relation.Signs;
        int approximate = 0;
        while (approximate < signs.Length && signs[approximate].Kind != RelationKind.Approximately)
        {
            approximate++;
        }

        if (approximate < signs.Length)
        {
            bool onlyNamed = approximate == 0 && IsName(operands[0]);
            int keep = onlyNamed ? 1 : approximate;
            operands = operands[..(keep + 1)];
            signs = onlyNamed ? [new RelationSign(RelationKind.Equal, "")] : signs[..keep];
        }

        if (signs.Length == 0)
        {
            return operands[0];
        }

        if (signs.Length > 1 && signs.All(sign => sign.Kind == RelationKind.Equal))
        {
            Expr? name = operands[..^1].FirstOrDefault(IsName);
            if (name is not null)
            {
                return new Relation([name, operands[^1]], [signs[0]]);
            }

            // 2 + 3 = 4 + 1 = 5, or a sum that is worked out step by step.
            return new Relation([operands[0], operands[^1]], [signs[0]]);
        }

        return new Relation(operands, signs);
    }

    /// <summary>Built of symbols only, without numbers or sums.</summary>
    public static bool IsName(Expr expr) => expr switch
    {
        Symbol or Words or Constant { Kind: ConstantKind.E or ConstantKind.I } => true,
        Product product => product.Factors.All(factor => IsName(factor) || factor is Power { Exponent: Number { Value: var n } } power && n == Rational.MinusOne && IsName(power.Base)),
        Ratio ratio => ratio.Parts.All(IsName),
        Call { Applied: true } => true,
        Call call => call.Arguments.All(IsName),
        Sequence { Open: not Bracket.None } sequence => sequence.Items.Length > 0 && sequence.Items.All(IsName),
        _ => false,
    };

    public static Assignment? AsAssignment(Expr expr)
    {
        if (expr is not Relation { Operands: [Expr left, Expr right], Signs: [var sign] } || (sign.Kind != RelationKind.Equal && sign.Name != "mapsto"))
        {
            return null;
        }

        if (sign.Name == "mapsto")
        {
            Expr argument = left is Ratio { Parts: [Symbol, Symbol of] } ? of : left;
            return argument is Symbol variable ? new Assignment("mapsto", left, right, ExpressionTree.Substitute(right, symbol => symbol.Name == variable.Name ? new Symbol("#0") : symbol)) : null;
        }

        // A^{-1} = (…), ∫ … dx = 1/3: what the value is of.
        bool computed = left is Call { Name: @"\int" or @"\sum" or @"\prod" or @"\lim" or @"\iint" or @"\oint" } || (right is Matrix && left is Power { Base: Symbol, Exponent: Number or Symbol { Name: "T" } });
        if (!computed && !IsName(left))
        {
            // 5 = x says the same as x = 5.
            if (left is not Number || right is not Symbol)
            {
                return null;
            }

            (left, right) = (right, left);
        }

        if (left is Symbol { Name: [_, '_', >= 'a' and <= 'z'] indexed } && indexed[2..] is var index && ExpressionTree.Symbols(right).Contains(index))
        {
            // a_n is a function of n.
            return new Assignment(indexed[..2] + "(1)", left, right, ExpressionTree.Substitute(right, symbol => symbol.Name == index ? new Symbol("#0") : symbol));
        }

        if (left is Call { Arguments: var arguments } function && arguments.All(argument => argument is Symbol { Name: [>= 'a' and <= 'z', ..] or [> 'z', ..] } || (argument is Symbol { Name: var capital } && ExpressionTree.Symbols(right).Contains(capital))))
        {
            var places = new Dictionary<string, string>(StringComparer.Ordinal);
            for (int i = 0; i < arguments.Length; i++)
            {
                places[((Symbol)arguments[i]).Name] = "#" + i;
            }

            Expr renamed = ExpressionTree.Substitute(right, symbol => places.TryGetValue(symbol.Name, out string? place) ? new Symbol(place) : symbol);
            return new Assignment(function.Name + "(" + arguments.Length + ")", left, right, renamed);
        }

        return new Assignment(left is Words words ? WordText.Normalize(words.Text) : ExprKey.Of(left), left, right, right);
    }

    /// <summary>(x, y) = (1, 2) as x = 1 and y = 2; null if it is no such thing.</summary>
    public static Sequence? Distribute(Expr expr) =>
        expr is Relation { Operands: [Sequence left, Sequence right], Signs: [{ Kind: RelationKind.Equal } sign] } && left.Items.Length == right.Items.Length
            ? Sequence.List(left.Items.Zip(right.Items, (Expr name, Expr value) => (Expr)new Relation([name, value], [sign])))
            : null;

    public static bool IsInequality(RelationKind kind) =>
        kind is RelationKind.Less or RelationKind.LessOrEqual or RelationKind.Greater or RelationKind.GreaterOrEqual;

    public static RelationKind Flip(RelationKind kind) => kind switch
    {
        RelationKind.Less => RelationKind.Greater,
        RelationKind.LessOrEqual => RelationKind.GreaterOrEqual,
        RelationKind.Greater => RelationKind.Less,
        RelationKind.GreaterOrEqual => RelationKind.LessOrEqual,
        _ => kind,
    };
}
