using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Numbers, letters, brackets and environments.</summary>
internal sealed partial class ExpressionParser
{
    private Expr Operand()
    {
        Token token = Current;
        if (_failed || !Enter())
        {
            return Fail();
        }

        Expr operand = token.Kind switch
        {
            TokenKind.Number => NumberOperand(),
            TokenKind.VulgarFraction => FractionOperand(Take().Text),
            TokenKind.Letter => LetterOperand(),
            TokenKind.Name => NameOperand(),
            TokenKind.Command => CommandOperand(),
            TokenKind.Text => TextOperand(),
            TokenKind.Word => IsApplied(_at + 1) ? NamedOperator(Take().Text) : new Words(Take().Text),
            TokenKind.Begin => Environment(),
            TokenKind.Sign when IsPrescript() => Prescript(),
            TokenKind.Sign when token.Is('(') && BasedInBrackets() is string digits => Based(digits),
            TokenKind.Sign => token.Text[0] switch
            {
                '<' => PlainVector(),
                '{' when IsBareSetBuilder() => BareSetBuilder(),
                '(' or '[' or '{' => Bracketed(),
                '|' => Bars(),
                ']' => ReversedInterval(),
                _ => Fail(),
            },
            _ => Fail(),
        };
        Leave();
        return operand;
    }

    private Expr LetterOperand()
    {
        string name = Take().Text;
        if (Current.Is('_') || Current.Kind == TokenKind.Subscript)
        {
            name += Subscript();
            if (SubscriptChoice(name) is Call choice)
            {
                return choice;
            }
        }

        for (int primes = 0; primes < 5 && !Current.Is('"') && PrimesAt(_at) is (int count, int end); primes += count)
        {
            name += new string('\'', count);
            _at = end;
        }

        if (name is "f" or "g" or "h" && Current.Is('^') && Next.Is('{') && _at + 4 < _tokens.Count && _tokens[_at + 2].Is('-') && _tokens[_at + 3] is { Kind: TokenKind.Number, Text: "1" } && _tokens[_at + 4].Is('}'))
        {
            _at += 5;
            name += "^{-1}";
        }

        if (Current.Is('(') && name is not ("e" or "i" or "d") && (name.Length == 1 || name.Contains('\'') || name.Contains('_') || name.Contains('^')))
        {
            int start = _at;
            int given = _given;
            _given = name == "P" ? 1 : 0;
            Expr bracket = Bracketed();
            _given = given;
            Sequence? several = bracket as Sequence;
            bool factor = several is null && !IsFunctionName(name) && (Current.Is('^') || Current.Is('!') || Current.Kind == TokenKind.Superscript);
            if (factor || several is not null and not { Open: Bracket.Round, Close: Bracket.Round })
            {
                _at = _failed ? _at : start;
                return new Symbol(name);
            }

            return new Call(name, several?.Items ?? [bracket], Applied: true);
        }

        return name switch
        {
            "e" => new Constant(ConstantKind.E),
            "i" => new Constant(ConstantKind.I),
            _ => new Symbol(name),
        };
    }

    /// <summary>Letters that a bracket behind makes a function rather than a factor.</summary>
    internal static bool IsFunctionName(string name) => name[0] is 'f' or 'g' or 'F' or 'G' || name.Contains('\'') || name.Contains('^');

    /// <summary>The subscript of a letter as text: part of its name. x_{1} and x_1 are the same.</summary>
    private string Subscript()
    {
        if (Current.Kind == TokenKind.Subscript)
        {
            return "_" + Take().Text;
        }

        _at++;
        if (!TakeIf('{'))
        {
            return "_" + Take().Text;
        }

        var text = new System.Text.StringBuilder("_");
        int depth = 1;
        while (Current.Kind != TokenKind.End)
        {
            depth += Current.Is('{') ? 1 : Current.Is('}') ? -1 : 0;
            if (depth == 0)
            {
                _at++;
                return text.ToString();
            }

            text.Append(Current.Kind == TokenKind.Text ? Take().Text.Trim() : Take().Text);
        }

        Fail();
        return "";
    }

    /// <summary>(…), […], (…], […) or {…}. One value in it is the value itself.</summary>
    private Expr Bracketed()
    {
        if (!Enter())
        {
            return Fail();
        }

        char open = Take().Text[0];
        int bars = _bars;
        int sets = _sets;
        (_bars, _sets) = (0, open == '{' ? _sets : 0);
        Expr? inside = IsClosing(Current) ? null : Stacked(List());
        (_bars, _sets) = (bars, sets);
        char close = Current.Kind != TokenKind.Sign ? '\0' : IsOpenEnd(_at) ? ')' : Current.Text[0];
        if (!(IsClosing(Current) || close == ')') || (open == '{') != (close == '}'))
        {
            return Fail();
        }

        _at++;
        Leave();
        Bracket left = open switch { '(' => Bracket.Round, '[' => Bracket.Square, _ => Bracket.BareBrace };
        Bracket right = close switch { ')' => Bracket.Round, ']' => Bracket.Square, _ => Bracket.BareBrace };
        return inside switch
        {
            null when open == '{' => new Sequence(left, right, [], Connector.Comma),
            null => Fail(),
            Sequence { Open: Bracket.None } list => list with { Open = left, Close = right },
            _ when left != right => Fail(),
            _ => inside,
        };
    }

    /// <summary>&lt;a, b&gt; for ⟨a, b⟩.</summary>
    private Expr PlainVector()
    {
        _at++;
        _angles++;
        Expr inside = List();
        _angles--;
        return TakeIf('>') && inside is Sequence { Open: Bracket.None } list ? list with { Open = Bracket.Angle, Close = Bracket.Angle } : Fail();
    }

    private Expr BareSetBuilder()
    {
        _at++;
        return BracedSet(bare: true);
    }

    private static bool IsClosing(Token token) => token.Is(')') || token.Is(']') || token.Is('}');

    /// <summary>The second bracket of [a, b[: nothing that it could open stands behind it.</summary>
    private bool IsOpenEnd(int at) => _tokens[at].Is('[') && _tokens[Math.Min(at + 1, _tokens.Count - 1)] is var next
        && (next.Kind is TokenKind.End or TokenKind.Text || IsClosing(next) || next.Is(',') || next.Is(';') || SetOperatorOf(next) is not null || ConnectiveOf(next) is not null);

    /// <summary>]a, b[: open ends in another notation.</summary>
    private Expr ReversedInterval()
    {
        _at++;
        _reversed = true;
        Expr inside = List();
        _reversed = false;
        return inside is Sequence { Open: Bracket.None, Items.Length: 2 } pair && (Current.Is('[') || Current.Is(']'))
            ? pair with { Open = Bracket.Round, Close = Take().Is('[') ? Bracket.Round : Bracket.Square }
            : Fail();
    }

    /// <summary>|x|, and ||x|| as the absolute value of an absolute value.</summary>
    private Expr Bars()
    {
        _at++;
        int sets = _sets;
        int given = _given;
        (_sets, _given) = (0, 0);
        Expr inside;
        if (Current.Is('|') && !Current.Spaced)
        {
            inside = Bars();
        }
        else
        {
            _bars++;
            inside = List();
            _bars--;
        }

        (_sets, _given) = (sets, given);
        return TakeIf('|') ? new Call("abs", [inside]) : Fail();
    }
}
