using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Relations and their signs.</summary>
internal sealed partial class ExpressionParser
{
    private Expr Relation()
    {
        if (!Enter())
        {
            return Fail();
        }

        Expr first = SetExpression();
        if (SignOfRelation() is not RelationSign sign)
        {
            Leave();
            return first;
        }

        var operands = new List<Expr> { first };
        var signs = new List<RelationSign>();
        for (RelationSign? next = sign; next is RelationSign here && !_failed; next = SignOfRelation())
        {
            signs.Add(here);
            operands.Add(SetExpression());
        }

        Leave();
        if (signs is [{ Name: "equiv" }])
        {
            // a ≡ b mod m is a congruence; without a modulus ≡ says that two functions are the same.
            operands[1] = operands[1] is Call { Name: "mod" } modulo ? modulo with { Name = "pmod" } : operands[1];
            signs[0] = operands[1] is Call { Name: "pmod" } ? signs[0] : new RelationSign(RelationKind.Equal, "");
        }

        return new Relation([.. operands], [.. signs]);
    }

    /// <summary>Takes a relation sign.</summary>
    private RelationSign? SignOfRelation()
    {
        RelationKind kind;
        int length = 1;
        string name = Current.Text;
        switch (Current.Kind)
        {
            case TokenKind.Sign when Current.Is('|') && _given > 0:
                _at++;
                return new RelationSign(RelationKind.Other, "mid");
            case TokenKind.Sign when Current.Is('>') && _angles > 0:
                return null;
            case TokenKind.Sign when Current.Text[0] is '=' or '<' or '>' or '≈' or '!' or ':':
                bool equals = Next.Is('=') && !Next.Spaced;
                length = equals ? 2 : 1;
                RelationKind? read = (Current.Text[0], equals) switch
                {
                    ('=', true) when Next.Is('=') => RelationKind.Equal,
                    ('=', _) => RelationKind.Equal,
                    ('<', true) => RelationKind.LessOrEqual,
                    ('<', false) when Next.Is('>') && !Next.Spaced => RelationKind.NotEqual,
                    ('<', false) => RelationKind.Less,
                    ('>', true) => RelationKind.GreaterOrEqual,
                    ('>', false) => RelationKind.Greater,
                    ('!', true) => RelationKind.NotEqual,
                    (':', true) => RelationKind.Equal,
                    ('≈', _) => RelationKind.Approximately,
                    _ => null,
                };
                if (read is null)
                {
                    return null;
                }

                kind = read.Value;
                length = kind == RelationKind.NotEqual ? 2 : length;
                if (kind == RelationKind.Equal && length == 1 && (Next.Is('<') || Next.Is('>')) && !Next.Spaced)
                {
                    kind = Next.Is('<') ? RelationKind.LessOrEqual : RelationKind.GreaterOrEqual;
                    length = 2;
                }

                break;
            case TokenKind.Command:
                RelationKind? command = name switch
                {
                    "le" or "leq" or "leqslant" or "leqq" => RelationKind.LessOrEqual,
                    "ge" or "geq" or "geqslant" or "geqq" => RelationKind.GreaterOrEqual,
                    "lt" => RelationKind.Less,
                    "gt" => RelationKind.Greater,
                    "ne" or "neq" => RelationKind.NotEqual,
                    "approx" or "simeq" or "doteq" or "thickapprox" => RelationKind.Approximately,
                    "in" => RelationKind.Element,
                    "equiv" or "sim" or "cong" or "to" or "rightarrow" or "mapsto" or "Rightarrow" or "implies" or "iff" or "Leftrightarrow" or "subset" or "subseteq" or "notin"
                        or "mid" or "nmid" or "parallel" or "perp" or "propto" or "supset" or "supseteq" or "longrightarrow" => RelationKind.Other,
                    "not" when Next.Is('=') => RelationKind.NotEqual,
                    _ => null,
                };
                if (command is null || (name == "mid" && _sets > 0))
                {
                    return null;
                }

                length = name == "not" ? 2 : 1;
                kind = command.Value;
                break;
            default:
                return null;
        }

        _at += length;
        return new RelationSign(kind, kind != RelationKind.Other ? "" : name is "rightarrow" or "longrightarrow" ? "to" : name);
    }
}
