using System.Runtime.CompilerServices;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>
/// Reads an answer: LaTeX, plain text and Unicode in one grammar, by recursive descent. From loose to tight: list, relation, set operation, ratio, sum,
/// product (explicit and implicit alike, left to right), sign, power and other postfixes, operand. Depth is bounded; nothing throws on any text.
/// </summary>
internal sealed partial class ExpressionParser
{
    /// <summary>Brackets, powers and arguments within each other. A level takes up to 2 KB of stack.</summary>
    public const int MaxDepth = 90;

    private readonly List<Token> _tokens;
    private int _at;
    private int _depth;

    /// <summary>Open |…| without \left: the next bar closes.</summary>
    private int _bars;

    /// <summary>Open \{…\}: a bar or colon parts the element from its condition.</summary>
    private int _sets;

    /// <summary>Open environments: in them \\ ends a row, outside it parts items.</summary>
    private int _environments;

    /// <summary>Open P(…) and the like, where a bar says "given".</summary>
    private int _given;

    /// <summary>Open &lt;a, b&gt;.</summary>
    private int _angles;

    /// <summary>Within ]a, b[, where a square bracket that opens closes.</summary>
    private bool _reversed;

    private bool _failed;

    private ExpressionParser(List<Token> tokens) => _tokens = tokens;

    /// <returns>Null if the text is not an expression as a whole, or is beyond the caps on length and depth.</returns>
    public static Expr? Parse(string text) => Parse(text, 0);

    private static Expr? Parse(string text, int depth)
    {
        if (depth > 4 || Tokenizer.Tokenize(text) is not { Count: > 1 } tokens)
        {
            return null;
        }

        var parser = new ExpressionParser(tokens) { _depth = depth * 10 };

        // A result that is only approximate is read as it stands.
        parser._at = tokens[0] is { Kind: TokenKind.Command, Text: "approx" or "sim" or "implies" or "Rightarrow" or "because" } ? 1 : 0;
        parser._at += tokens[parser._at] is { Kind: TokenKind.Text } label && IsLabel(label.Text) ? 1 : 0;
        if (parser.BeginsWithInequality())
        {
            tokens.Insert(parser._at, new Token(TokenKind.Letter, Symbol.Unnamed, false));
        }

        Expr? result = parser.Stacked(parser.List());
        return parser._failed || parser.Current.Kind != TokenKind.End ? null : result;
    }

    /// <summary>≤ 5: what is at most 5 goes without saying.</summary>
    private bool BeginsWithInequality()
    {
        int start = _at;
        bool inequality = !(Current.Is('<') && _tokens.Exists(token => token.Is('>'))) && SignOfRelation() is { Kind: RelationKind.Less or RelationKind.LessOrEqual or RelationKind.Greater or RelationKind.GreaterOrEqual };
        _at = start;
        return inequality;
    }

    /// <summary>"Domain:", "The value is", "There are": what follows is the answer.</summary>
    private static bool IsLabel(string text) => text.TrimEnd(' ', '~') is var bare && (bare.EndsWith(':') || bare.EndsWith(" is", StringComparison.Ordinal) || bare.EndsWith(" are", StringComparison.Ordinal) || bare is "all" or "for all" or "any" or "every");

    private Token Current => _tokens[_at];

    private Token Next => _at + 1 < _tokens.Count ? _tokens[_at + 1] : _tokens[^1];

    private Token Take() => _tokens[_at < _tokens.Count - 1 ? _at++ : _at];

    private bool TakeIf(char sign)
    {
        bool there = Current.Is(sign);
        _at += there ? 1 : 0;
        return there;
    }

    private bool TakeCommand(string name)
    {
        bool there = Current.IsCommand(name);
        _at += there ? 1 : 0;
        return there;
    }

    /// <summary>Marks the whole text as unreadable; the placeholder that it returns is never seen.</summary>
    private Expr Fail()
    {
        _failed = true;
        _at = _tokens.Count - 1;
        return Constant.Undefined;
    }

    private bool Enter()
    {
        if (++_depth > MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            _failed = true;
            _at = _tokens.Count - 1;
        }

        return !_failed;
    }

    private void Leave() => _depth--;

    /// <summary>Everything up to the end or a closing bracket: one value, or several behind each other.</summary>
    private Expr List()
    {
        var items = new List<Expr> { Relation() };
        var connector = Connector.Comma;
        while (!_failed)
        {
            if (Current.Wide && StartsFactor(Current))
            {
                items.Add(Relation());
            }
            else if ((IsLogic(Current) && items[^1] is not Expressions.Relation) || (!TakeSeparator(ref connector) && !IsDeclaration()))
            {
                if (!TakeClause(items))
                {
                    break;
                }
            }
            else if (Current.Kind is TokenKind.End or TokenKind.EndOf || Current.Is('&') || (_environments > 0 && Current.IsCommand("\\")))
            {
                break;
            }
            else if (!TakeClause(items))
            {
                items.Add(Relation());
            }
        }

        return items.Count == 1 ? items[0] : new Sequence(Bracket.None, Bracket.None, [.. items], connector);
    }

    /// <summary>∧ and ∨ join statements; what they make of anything else is not read.</summary>
    private static bool IsLogic(Token token) => token.Kind == TokenKind.Command && token.Text is "land" or "lor" or "wedge" or "vee";

    /// <summary>A comma, a semicolon, "and", "or", or a comma with one of these.</summary>
    private bool TakeSeparator(ref Connector connector)
    {
        bool any = false;
        while (true)
        {
            if (Current.Is(',') || Current.Is(';') || (_environments == 0 && Current.IsCommand("\\")))
            {
                _at++;
            }
            else if (ConnectiveOf(Current) is Connector word)
            {
                _at++;
                connector = word == Connector.Comma ? connector : word;
            }
            else
            {
                return any;
            }

            any = true;
        }
    }

    private static Connector? ConnectiveOf(Token token)
    {
        if (token.Kind is not (TokenKind.Text or TokenKind.Name or TokenKind.Command))
        {
            return null;
        }

        string word = token.Kind == TokenKind.Text ? token.Text.Trim(' ', '~', ',', ';', '.', '\\', '\n').ToLowerInvariant() : token.Text;
        return word switch
        {
            "and" or "AND" or "land" or "wedge" when token.Kind != TokenKind.Command || word is "land" or "wedge" => Connector.And,
            "or" or "OR" or "lor" or "vee" => Connector.Or,
            "" when token.Kind == TokenKind.Text => Connector.Comma,
            _ => null,
        };
    }

    /// <summary>{a \over b}, {n \choose k}: what stands before and behind in the same braces.</summary>
    private Expr Stacked(Expr above)
    {
        if (_failed || Current is not { Kind: TokenKind.Command, Text: "over" or "choose" })
        {
            return above;
        }

        bool over = Take().Text == "over";
        Expr below = List();
        return over ? Expr.Divide(above, below) : new Call("binomial", [above, below]);
    }
}
