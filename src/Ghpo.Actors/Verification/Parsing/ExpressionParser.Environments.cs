using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Matrices, systems and functions by cases.</summary>
internal sealed partial class ExpressionParser
{
    private const int MaxEntries = 400;

    private Expr Environment()
    {
        string name = Take().Text;
        bool aligned = Vocabulary.IsDisplay(name);
        if (!aligned && name is not ("pmatrix" or "bmatrix" or "matrix" or "Bmatrix" or "vmatrix" or "smallmatrix" or "array" or "cases" or "dcases"))
        {
            return Fail();
        }

        bool cases = name is "cases" or "dcases";
        var rows = new List<List<Expr>> { new() };
        int entries = 0;
        _environments++;
        while (!_failed && Current.Kind is not (TokenKind.EndOf or TokenKind.End))
        {
            if (TakeCommand("\\"))
            {
                rows.Add([]);
            }
            else if (TakeIf('&'))
            {
                continue;
            }
            else if (++entries > MaxEntries)
            {
                return Fail();
            }
            else
            {
                rows[^1].Add(cases && rows[^1].Count == 1 ? Condition() : List());
            }
        }

        _environments--;
        rows.RemoveAll(row => row.Count == 0);
        if (_failed || Take() is not { Kind: TokenKind.EndOf } end || end.Text != name || rows.Count == 0 || rows.Any(row => row.Count != rows[0].Count))
        {
            return Fail();
        }

        if ((aligned || cases) && rows[0].Count == 1)
        {
            return System(rows);
        }

        var matrix = new Matrix([.. rows.Select(row => row.ToImmutableArray())]);
        return name switch
        {
            _ when aligned => Fail(),
            "vmatrix" => new Call("det", [matrix]),
            "cases" or "dcases" => new Call("cases", [matrix]),
            _ => matrix,
        };
    }

    /// <summary>Rows of one column: what they say holds together.</summary>
    private static Expr System(List<List<Expr>> rows)
    {
        Expr[] items = [.. rows.SelectMany(row => row[0] is Sequence { Open: Bracket.None } list ? list.Items : [row[0]])];
        return items.Length == 1 ? items[0] : new Sequence(Bracket.None, Bracket.None, [.. items], Connector.And);
    }

    /// <summary>\{ and an array: a system without its closing brace.</summary>
    private Expr BracedSystem()
    {
        Expr inside = Environment();
        TakeCommand("}");
        return inside is Matrix { Columns: 1 } column ? System([.. column.Rows.Select(row => row.ToList())]) : inside is Sequence ? inside : Fail();
    }

    /// <summary>When a case of a function holds: a relation, or words as they stand.</summary>
    private Expr Condition()
    {
        if (IsWord("if") || IsWord("for") || IsWord("when"))
        {
            _at++;
        }

        var words = new System.Text.StringBuilder();
        bool any = false;
        int at = _at;
        for (; !(_tokens[at].Kind is TokenKind.EndOf or TokenKind.End || _tokens[at].Is('&') || _tokens[at].IsCommand("\\")); at++)
        {
            any |= _tokens[at].Kind is TokenKind.Text or TokenKind.Word && ConnectiveOf(_tokens[at]) is null;
            words.Append(_tokens[at].Text).Append(' ');
        }

        if (!any)
        {
            return List();
        }

        _at = at;
        return new Words(words.ToString().TrimEnd(' ', '.', ',', ';'));
    }

    private bool IsWord(string word) =>
        Current.Kind is TokenKind.Text or TokenKind.Word or TokenKind.Name && string.Equals(Current.Text.Trim(' ', '~', ','), word, StringComparison.OrdinalIgnoreCase);
}
