using System.Collections.Immutable;
using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Operators with bounds.</summary>
internal sealed partial class ExpressionParser
{
    /// <summary>A sum, integral or limit. It is not evaluated: equal to nothing but the same.</summary>
    private Expr BoundOperator(string name)
    {
        var parts = ImmutableArray.CreateBuilder<Expr>();
        for (int i = 0; i < 2 && (Current.Is('_') || Current.Is('^')); i++)
        {
            bool below = Take().Is('_');
            Expr bound = Current.Is('{') ? Group() : TakeIf('-') ? Expr.Negate(Operand()) : Operand();
            parts.Add(new Call(below ? "from" : "to", [bound]));
        }

        parts.Sort((a, b) => string.CompareOrdinal(((Call)a).Name, ((Call)b).Name));
        parts.Add(Term());
        var call = new Call(@"\" + name, parts.ToImmutable());
        bool overI = parts[0] is Call { Name: "from", Arguments: [Relation { Operands: [Constant { Kind: ConstantKind.I }, ..] }] };
        return overI ? ExpressionTree.ReplaceConstant(call, ConstantKind.I, new Symbol("i")) : call;
    }

    /// <summary>A group whose content may be a relation or a list, as under a sum or limit.</summary>
    private Expr Group() => Bracketed();
}
