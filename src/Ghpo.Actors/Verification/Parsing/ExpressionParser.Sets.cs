using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Set operations and ratios.</summary>
internal sealed partial class ExpressionParser
{
    /// <summary>Set operations so far: they lean to the left, one level of the tree each.</summary>
    private int _operations;

    private Expr SetExpression()
    {
        int start = _at;
        Expr left = RatioExpression();
        while (!_failed && (IsUnionLetter() ? SetOperator.Union : SetOperatorOf(Current)) is SetOperator operation)
        {
            left = Singleton(left, start);
            _at++;
            start = _at;
            left = new SetOperation(operation, left, Singleton(RatioExpression(), start));
            if (_at > Tokenizer.MaxTokens || ++_operations > 200)
            {
                return Fail();
            }
        }

        return left;
    }

    /// <summary>Between set operators, one value in bare braces is a set.</summary>
    private Expr Singleton(Expr operand, int start) =>
        operand is not (Sequence or SetOperation or SetBuilder) && _tokens[start].Is('{') && _tokens[_at - 1].Is('}') ? new Sequence(Bracket.BareBrace, Bracket.BareBrace, [operand], Connector.Comma) : operand;

    /// <summary>(−∞, 2) U (5, ∞)</summary>
    private bool IsUnionLetter() =>
        Current is { Kind: TokenKind.Letter, Text: "U" } && _at > 0 && (_tokens[_at - 1].Is(')') || _tokens[_at - 1].Is(']')) && (Next.Is('(') || Next.Is('['));

    private static SetOperator? SetOperatorOf(Token token) => token.Kind == TokenKind.Command || token is { Kind: TokenKind.Name, Text: "union" or "cup" or "cap" }
        ? token.Text switch
        {
            "cup" or "bigcup" or "union" or "sqcup" or "uplus" => SetOperator.Union,
            "cap" or "bigcap" => SetOperator.Intersection,
            "setminus" or "backslash" or "smallsetminus" => SetOperator.Difference,
            _ => null,
        }
        : null;

    private Expr RatioExpression()
    {
        Expr first = AdditiveExpression();
        if (IsTo() && first is Number)
        {
            _at++;
            return new Ratio([first, AdditiveExpression()], Clock: false);
        }

        if (!Current.Is(':') || _sets > 0 || Next.Is('='))
        {
            return first;
        }

        var parts = new List<Expr> { first };
        bool clock = IsHour(_at - 1);
        while (!_failed && Current.Is(':') && !Next.Is('='))
        {
            _at++;
            clock &= Current is { Kind: TokenKind.Number, Text.Length: 2, Spaced: false } && string.CompareOrdinal(Current.Text, "60") < 0;
            parts.Add(AdditiveExpression());
        }

        if (parts is [Words, not Words])
        {
            // Area: 12
            return parts[1];
        }

        if (parts[^1] is Quantity { Value: var last } quantity)
        {
            parts[^1] = last;
            return new Quantity(new Ratio([.. parts], clock), quantity.Unit);
        }

        return new Ratio([.. parts], clock);
    }

    /// <summary>3 to 4</summary>
    private bool IsTo() => Next.Kind == TokenKind.Number && IsWord("to");

    private bool IsHour(int index) =>
        _tokens[index] is { Kind: TokenKind.Number, Text.Length: 1 or 2 } hour && int.TryParse(hour.Text, out int value) && value < 25;
}
