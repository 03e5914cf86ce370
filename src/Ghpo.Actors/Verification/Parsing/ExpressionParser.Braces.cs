using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Sets by their names, elements or conditions.</summary>
internal sealed partial class ExpressionParser
{
    private Expr Lettered(string font)
    {
        bool braced = TakeIf('{');
        Token letter = Take();
        return (braced && !TakeIf('}')) || letter.Kind != TokenKind.Letter ? Fail()
            : font is "mathbb" or "Bbb" && letter.Text is not ("E" or "P") ? Signed(letter.Text)
            : font is "mathbb" && (Current.Is('[') || Current.Is('(')) ? NamedOperator(letter.Text)
            : new Symbol(letter.Text);
    }

    /// <summary>ℝ⁺ and the like: the sign is part of the set's name.</summary>
    private Expr Signed(string name)
    {
        if (Current.Kind == TokenKind.Superscript)
        {
            return new NamedSet(name + Take().Text);
        }

        if (Current.Is('^') || Current.Is('_'))
        {
            int start = _at;
            string mark = Take().Text;
            bool braced = TakeIf('{');
            if (Current.Is('+') || Current.Is('-') || Current.Is('*') || Current.Is('>') || Current.IsCommand("ge") || Current.IsCommand("geq") || Current.IsCommand("gt"))
            {
                string sign = Take().Text;
                _at += Current is { Kind: TokenKind.Number, Text: "0" } ? 1 : 0;
                name += sign is "+" or ">" or "gt" ? "+" : sign is "ge" or "geq" ? "_ge" : (mark == "_" ? "_" : "") + sign;
                return braced && !TakeIf('}') ? Fail() : new NamedSet(name);
            }

            _at = start;
        }

        return new NamedSet(name);
    }

    /// <summary>\{…\}: a set by its elements, or by a condition behind a bar or colon.</summary>
    /// <param name="bare">In braces without backslashes.</param>
    private Expr BracedSet(bool bare)
    {
        int bars = _bars;
        (_bars, _sets) = (0, _sets + 1);
        Expr set;
        if (ClosesSet(bare))
        {
            set = new Sequence(Bracket.Brace, Bracket.Brace, [], Connector.Comma);
        }
        else
        {
            Expr inside = List();
            if (Current.Is('|') || Current.Is(':') || Current.IsCommand("mid") || Current.IsCommand("lvert"))
            {
                _at++;
                _sets--;
                set = new SetBuilder(inside, List());
                _sets++;
            }
            else
            {
                set = inside is Sequence { Open: Bracket.None } list
                    ? list with { Open = Bracket.Brace, Close = Bracket.Brace }
                    : new Sequence(Bracket.Brace, Bracket.Brace, [inside], Connector.Comma);
            }
        }

        (_bars, _sets) = (bars, _sets - 1);
        if (!ClosesSet(bare))
        {
            return Fail();
        }

        _at++;
        return set;
    }

    private bool ClosesSet(bool bare) => bare ? Current.Is('}') : Current.IsCommand("}") || Current.IsCommand("rbrace");

    /// <summary>{x | …}, {x : …}, {x ∈ …}: a set by a condition, without backslashes.</summary>
    private bool IsBareSetBuilder()
    {
        if (!Current.Is('{') || Next.Kind != TokenKind.Letter || _at + 2 >= _tokens.Count)
        {
            return false;
        }

        Token sign = _tokens[_at + 2];
        return sign.Is('|') || sign.Is(':') || sign.IsCommand("mid") || sign.IsCommand("in");
    }
}
