using Ghpo.Verification.Expressions;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Equivalence;

/// <summary>Walks over expressions.</summary>
internal static class ExpressionTree
{
    public static IEnumerable<Expr> Children(Expr expr) => expr switch
    {
        Sum sum => sum.Terms,
        Product product => product.Factors,
        Power power => [power.Base, power.Exponent],
        Root root => [root.Radicand, root.Index],
        Call call => call.Arguments,
        PlusMinus pair => [pair.Left, pair.Right],
        Percent percent => [percent.Value],
        Quantity quantity => [quantity.Value],
        Sequence sequence => sequence.Items,
        SetOperation operation => [operation.Left, operation.Right],
        Relation relation => relation.Operands,
        Matrix matrix => matrix.Rows.SelectMany(row => row),
        Ratio ratio => ratio.Parts,
        SetBuilder builder => [builder.Element, builder.Condition],
        _ => [],
    };

    /// <summary>Number of nodes.</summary>
    public static int Size(Expr expr) => 1 + Children(expr).Sum(Size);

    public static bool Any(Expr expr, Func<Expr, bool> predicate) => predicate(expr) || Children(expr).Any(child => Any(child, predicate));

    /// <summary>The expression with its children replaced; what is not replaced is shared.</summary>
    public static Expr Map(Expr expr, Func<Expr, Expr> replace) => expr switch
    {
        Sum sum => new Sum([.. sum.Terms.Select(replace)]),
        Product product => new Product([.. product.Factors.Select(replace)]),
        Power power => new Power(replace(power.Base), replace(power.Exponent)),
        Root root => new Root(replace(root.Radicand), replace(root.Index)),
        Call call => call with { Arguments = [.. call.Arguments.Select(replace)] },
        PlusMinus pair => pair with { Left = replace(pair.Left), Right = replace(pair.Right) },
        Percent percent => new Percent(replace(percent.Value)),
        Quantity quantity => quantity with { Value = replace(quantity.Value) },
        Sequence sequence => sequence with { Items = [.. sequence.Items.Select(replace)] },
        SetOperation operation => operation with { Left = replace(operation.Left), Right = replace(operation.Right) },
        Relation relation => relation with { Operands = [.. relation.Operands.Select(replace)] },
        Matrix matrix => new Matrix([.. matrix.Rows.Select(row => row.Select(replace).ToArray()).Select(row => System.Collections.Immutable.ImmutableArray.Create(row))]),
        Ratio ratio => ratio with { Parts = [.. ratio.Parts.Select(replace)] },
        SetBuilder builder => new SetBuilder(replace(builder.Element), replace(builder.Condition)),
        _ => expr,
    };

    /// <summary>Every symbol replaced by what the function says, everywhere: also that of n(n + 1), a product that looks like a function's value.</summary>
    public static Expr Substitute(Expr expr, Func<Symbol, Expr> value) => expr switch
    {
        Symbol symbol => value(symbol),
        Call { Applied: true, Arguments: [Expr argument] } call when !ExpressionParser.IsFunctionName(call.Name) => new Product([value(new Symbol(call.Name)), Substitute(argument, value)]),
        _ => Map(expr, child => Substitute(child, value)),
    };

    public static Expr ReplaceConstant(Expr expr, ConstantKind kind, Expr value) =>
        expr is Constant constant && constant.Kind == kind ? value : Map(expr, child => ReplaceConstant(child, kind, value));

    public static SortedSet<string> Symbols(Expr expr)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        Collect(expr);
        return names;

        void Collect(Expr node)
        {
            if (node is Symbol symbol)
            {
                names.Add(symbol.Name);
            }

            foreach (Expr child in Children(node))
            {
                Collect(child);
            }
        }
    }

    public static bool IsDecimal(Expr expr) => Any(expr, node => node is Number { IsDecimal: true });

    /// <summary>A value of its own: no list, set, relation, matrix or words in it but as arguments of a function.</summary>
    public static bool IsScalar(Expr expr) => expr switch
    {
        Number or Symbol or Constant => true,
        Sum or Product or Power or Root or Percent or Quantity => Children(expr).All(IsScalar),
        Call => true,
        _ => false,
    };
}
