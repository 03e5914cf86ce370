using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>What is said behind an answer about the letters in it: (k ∈ ℤ), where k is an integer, for all x.</summary>
internal sealed partial class ExpressionParser
{
    private static readonly string[] ClauseOpenings = ["for", "where", "with", "any", "for all", "for every", "for any", "for each", "for some"];

    /// <summary>(k ∈ …): a statement about k, not a factor.</summary>
    private bool IsDeclaration()
    {
        if (!Current.Is('('))
        {
            return false;
        }

        int at = _at + 1;
        while (at + 1 < _tokens.Count && _tokens[at].Kind == TokenKind.Letter && _tokens[at + 1].Is(','))
        {
            at += 2;
        }

        return at + 1 < _tokens.Count && _tokens[at].Kind == TokenKind.Letter && (_tokens[at + 1].IsCommand("in") || _tokens[at + 1].IsCommand("ne") || _tokens[at + 1].IsCommand("neq"));
    }

    /// <summary>Whether a clause stands here that <see cref="TakeClause"/> would take.</summary>
    private bool IsClause()
    {
        (int at, bool failed, int depth) = (_at, _failed, _depth);
        _depth = Math.Max(0, _depth - 1);
        bool clause = TakeClause([]) && !_failed;
        (_at, _failed, _depth) = (at, failed, depth);
        return clause;
    }

    /// <summary>"where x ≠ 0": a relation that ends the text.</summary>
    private bool TakeCondition(List<Expr> items, int start)
    {
        _at = start + 1;
        (bool failed, int depth) = (_failed, _depth);
        if (Relation() is Relation condition && !_failed && (Current.Kind == TokenKind.End || (Current.Is('.') && Next.Kind == TokenKind.End)))
        {
            _at += Current.Is('.') ? 1 : 0;
            items.Add(condition);
            return true;
        }

        (_at, _failed, _depth) = (start, failed, depth);
        return false;
    }

    /// <summary>
    /// A clause at the very end: takes it and adds what it says to the items, k ∈ ℤ for "where k is an integer". A clause that only says "for all x" says
    /// nothing. False, and nothing is taken, if no clause stands here.
    /// </summary>
    private bool TakeClause(List<Expr> items)
    {
        if (Current.Kind is not (TokenKind.Text or TokenKind.Word) || _depth > 1)
        {
            return false;
        }

        string opening = Current.Text.Trim(' ', '~', ',', '\n').ToLowerInvariant();
        string? known = ClauseOpenings.LastOrDefault(word => opening == word || opening.StartsWith(word + " ", StringComparison.Ordinal));
        if (known is null)
        {
            return false;
        }

        int start = _at;
        string words = opening[known.Length..];
        var names = new List<Expr>();
        bool relation = false;
        for (_at++; Current.Kind != TokenKind.End; _at++)
        {
            if (Current.Kind is TokenKind.Text or TokenKind.Word or TokenKind.Name)
            {
                words += " " + Current.Text.ToLowerInvariant();
            }
            else if (Current.Kind == TokenKind.Letter && !relation)
            {
                names.Add(new Symbol(Current.Text));
            }
            else if (Current.IsCommand("in") || Current.IsCommand("mathbb") || Current.Text.StartsWith("mathbb", StringComparison.Ordinal))
            {
                relation = true;
            }
            else if (!relation && !Current.Is(',') && !Current.Is('.'))
            {
                return TakeCondition(items, start);
            }
        }

        if (relation)
        {
            _at = start + 1;
            while (Current.Kind is TokenKind.Text or TokenKind.Word && Current.Kind != TokenKind.End)
            {
                _at++;
            }

            items.Add(Relation());
            return true;
        }

        string? set = words.Contains("positive integer", StringComparison.Ordinal) || words.Contains("natural", StringComparison.Ordinal) ? "N"
            : words.Contains("integer", StringComparison.Ordinal) ? "Z"
            : words.Contains("real", StringComparison.Ordinal) || words.Contains("constant", StringComparison.Ordinal) || string.IsNullOrWhiteSpace(words.Replace("all", "", StringComparison.Ordinal)) ? "" : null;
        if (set is null || names.Count is 0 or > 3)
        {
            _at = start;
            return false;
        }

        items.AddRange(set.Length == 0 ? [] : names.Select(name => new Relation([name, new NamedSet(set)], [new RelationSign(RelationKind.Element, "")])));
        return true;
    }
}
