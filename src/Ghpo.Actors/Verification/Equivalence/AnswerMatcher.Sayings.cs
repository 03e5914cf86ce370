using System.Globalization;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>One thing said with more words than another: values shared, said twice, or with the points that they exclude.</summary>
internal sealed partial class AnswerMatcher
{
    /// <summary>x = y = z = 0 as x = 0, y = 0, z = 0; null if it is no such chain.</summary>
    private static Sequence? Shared(Expr a) =>
        a is Relation { Operands: { Length: >= 3 } operands } chain && chain.Signs.All(sign => sign.Kind == RelationKind.Equal) && operands[..^1].All(operand => operand is Symbol or Product && RelationReader.IsName(operand))
            && operands[..^1].Select(ExprKey.Of).Distinct().Count() == operands.Length - 1 && ExpressionTree.IsScalar(operands[^1])
            && !operands[..^1].Any(name => ExpressionTree.Symbols(operands[^1]).Overlaps(ExpressionTree.Symbols(name)))
            ? Sequence.List(operands[..^1].Select(name => (Expr)new Relation([name, operands[^1]], [chain.Signs[0]])))
            : null;

    /// <summary>Names that share a value, apart where the other side gives each its own; against one value the chain stays.</summary>
    private static (Expr, Expr) SharedApart(Expr a, Expr b)
    {
        bool Apart(Expr other) => Shared(other) is not null || FormOf(other) is Form.Tuple or Form.List || other is Matrix || RelationReader.Distribute(other) is not null;
        return (Shared(a) is Sequence x && Apart(b) ? x : a, Shared(b) is Sequence y && Apart(a) ? y : b);
    }

    /// <summary>x₁ = 1, x₂ = 2 as x = 1, x = 2: the solutions of one unknown, numbered from 1. Null if it is no such list.</summary>
    private static Sequence? Unnumbered(Expr a)
    {
        if (!IsSystem(a) || RelationReader.AsAssignment(((Sequence)a).Items[0]) is not { Left: Symbol { Name: [var letter, '_', '1'] } })
        {
            return null;
        }

        var items = ((Sequence)a).Items;
        return items.Length < 10 && items.Select((item, i) => item is Relation { Operands: [Symbol name, _], Signs: [{ Kind: RelationKind.Equal }] } && name.Name == string.Create(CultureInfo.InvariantCulture, $"{letter}_{i + 1}")).All(numbered => numbered)
            ? ((Sequence)a) with { Items = [.. items.Select(item => ((Relation)item) with { Operands = [new Symbol(letter.ToString()), ((Relation)item).Operands[1]] })] }
            : null;
    }

    /// <summary>x = 1, x = 2: several values of one unknown.</summary>
    private static bool IsUnknown(Expr a) => IsSystem(a) && ((Sequence)a).Items.Select(item => RelationReader.AsAssignment(item)?.Name).Distinct().Count() == 1;

    /// <summary>3/8 or 0.375: one value said twice.</summary>
    private Expr Repeated(Expr a) =>
        a is Sequence { Open: Bracket.None, Connector: Connector.Or, Items: { Length: 2 or 3 } items } && items.All(ExpressionTree.IsScalar) && items.Skip(1).All(item => ScalarsEqual(items[0], item) is true)
            ? items.FirstOrDefault(item => !ExpressionTree.IsDecimal(item)) ?? items[0]
            : a;

    /// <summary>An expression without the points that it excludes behind it: x + 1, x ≠ 1. Null if it excludes none.</summary>
    private static Expr? Unrestricted(Expr a) =>
        a is Sequence { Open: Bracket.None, Items: [var value, Relation { Operands: [Symbol excluded, ..], Signs: [{ Kind: RelationKind.NotEqual }] }] }
            && (ExpressionTree.IsScalar(value) || value is Relation { Signs: [{ Kind: RelationKind.Equal }] }) && ExpressionTree.Symbols(value).Contains(excluded.Name)
            ? value
            : null;
}
