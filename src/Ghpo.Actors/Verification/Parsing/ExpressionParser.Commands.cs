using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>LaTeX commands and named functions.</summary>
internal sealed partial class ExpressionParser
{
    private Expr NameOperand()
    {
        string name = Take().Text;
        return Vocabulary.PlainNameOf(name) switch
        {
            "pi" => new Constant(ConstantKind.Pi),
            "infty" => Constant.Infinity,
            "nan" => Constant.Undefined,
            _ => Vocabulary.FunctionOf(name) is string function ? Function(function) : Fail(),
        };
    }

    private Expr CommandOperand()
    {
        string name = Take().Text;
        switch (name)
        {
            case "frac" or "dfrac" or "tfrac" or "cfrac":
                return Fraction();
            case "sqrt":
                return SquareRoot();
            case "cbrt":
                return new Root(Argument(), Expr.Of(3));
            case "fourthroot":
                return new Root(Argument(), Expr.Of(4));
            case "binom" or "dbinom" or "tbinom":
                return new Call("binomial", [Argument(), Argument()]);
            case "pi":
                return new Constant(ConstantKind.Pi);
            case "infty":
                return Constant.Infinity;
            case "emptyset" or "varnothing":
                return Sequence.EmptySet;
            case "mathbb" or "Bbb" or "mathcal" or "mathscr" or "mathfrak":
                return Lettered(name);
            case "mathbbR" or "mathbbN" or "mathbbZ" or "mathbbQ" or "mathbbC":
                return Signed(name[6..]);
            case "{" or "lbrace":
                return Current is { Kind: TokenKind.Begin, Text: not ("pmatrix" or "bmatrix" or "vmatrix" or "smallmatrix") } ? BracedSystem() : BracedSet(bare: false);
            case "lfloor":
                return Enclosed("rfloor", "floor");
            case "lceil":
                return Enclosed("rceil", "ceil");
            case "lvert" or "vert":
                return Enclosed(name == "vert" ? "vert" : "rvert", "abs");
            case "lVert" or "|" or "Vert":
                return Enclosed(name switch { "lVert" => "rVert", _ => name }, "norm");
            case "langle":
                return Angled();
            case "boxed" or "fbox" or "displaystyle" or "underline" or "mathrm" or "mathbf":
                return Argument() is var inner && inner is Sequence { Open: Bracket.BareBrace } list ? list with { Open = Bracket.None, Close = Bracket.None } : inner;
            case "overline" or "bar" or "vec" or "hat" or "tilde" or "widehat" or "overrightarrow" or "dot" or "widetilde" or "overleftrightarrow" or "overarc":
                return Accented(name is "overrightarrow" ? "vec" : name is "widehat" ? "hat" : name is "bar" ? "overline" : name);
            case "angle" or "triangle" or "measuredangle":
                return new Symbol(@"\" + name);
            case "ldots" or "cdots" or "dots" or "vdots":
                return new Symbol("…");
            case "partial" or "nabla":
                return new Symbol(@"\" + name);
            case "sum" or "prod" or "int" or "iint" or "oint" or "lim":
                return BoundOperator(name);
            case "operatorname":
                return Fail();
            default:
                return Vocabulary.FunctionOf(name) is string function ? Function(function) : Fail();
        }
    }

    /// <summary>An argument of a command: a group in braces, or the next digit, letter or command, as TeX takes it.</summary>
    private Expr Argument()
    {
        if (!Enter())
        {
            return Fail();
        }

        Expr argument;
        Token token = Current;
        if (token.Is('{'))
        {
            argument = Bracketed();
            argument = argument is Sequence { Open: Bracket.BareBrace, Items.Length: 0 } ? Fail() : argument;
        }
        else if (token.Kind == TokenKind.Number)
        {
            argument = Expr.Of(token.Text[0] - '0');
            if (!char.IsAsciiDigit(token.Text[0]))
            {
                argument = Fail();
            }
            else if (token.Text.Length > 1)
            {
                _tokens[_at] = token with { Text = token.Text[1..], Spaced = false };
            }
            else
            {
                _at++;
            }
        }
        else if (token.Kind == TokenKind.Letter)
        {
            _at++;
            argument = token.Text switch { "e" => new Constant(ConstantKind.E), "i" => new Constant(ConstantKind.I), _ => new Symbol(token.Text) };
        }
        else
        {
            argument = token.Kind is TokenKind.Command or TokenKind.Text or TokenKind.Name ? Operand() : Fail();
        }

        Leave();
        return argument;
    }

    private Expr Fraction()
    {
        int above = _at;
        Expr numerator = Argument();
        int below = _at;
        Expr denominator = Argument();
        bool derivative = StartsWithDifferential(above) && StartsWithDifferential(below) && numerator is Symbol { Name: "d" or @"\partial" };
        return derivative ? new Call("derivative", [denominator]) : Expr.Divide(numerator, denominator);
    }

    private bool StartsWithDifferential(int index) =>
        index + 1 < _tokens.Count && (_tokens[index + 1] is { Kind: TokenKind.Letter, Text: "d" } || _tokens[index + 1].IsCommand("partial"));

    private Expr SquareRoot()
    {
        Expr index = Expr.Of(2);
        if (Current.Is('['))
        {
            _at++;
            index = List();
            if (!TakeIf(']'))
            {
                return Fail();
            }
        }

        // √12 and sqrt 12 mean the whole number, \sqrt12 what TeX prints: the root of 1, then 2.
        Expr radicand = Current.Is('(') ? Operand() : Argument();
        return radicand is Sequence ? Fail() : new Root(radicand, index);
    }

    private Expr Enclosed(string close, string function)
    {
        int bars = _bars;
        int sets = _sets;
        (_bars, _sets) = (0, 0);
        Expr inside = List();
        (_bars, _sets) = (bars, sets);
        // The norm of what is one number is its absolute value.
        return TakeCommand(close) ? new Call(function == "norm" && ExpressionTree.IsScalar(inside) ? "abs" : function, [inside]) : Fail();
    }

    private Expr Angled()
    {
        Expr inside = List();
        return !TakeCommand("rangle") ? Fail()
            : inside is Sequence { Open: Bracket.None } list ? list with { Open = Bracket.Angle, Close = Bracket.Angle }
            : new Sequence(Bracket.Angle, Bracket.Angle, [inside], Connector.Comma);
    }

    /// <summary>\overline{AB}, \vec a: letters under an accent are one name.</summary>
    private Expr Accented(string accent)
    {
        var name = new System.Text.StringBuilder(@"\" + accent + "{");
        int start = _at;
        bool braced = TakeIf('{');
        int taken = 0;
        while (Current.Kind is TokenKind.Letter or TokenKind.Number || Current.Is('_') || Current.Is('\''))
        {
            name.Append(Take().Text);
            if (++taken > 20 || !braced)
            {
                break;
            }
        }

        if (accent == "overline" && braced && !Current.Is('}') && !_failed)
        {
            // A bar over a sum is the complex conjugate.
            _at = start;
            return new Call("conj", [Argument()]);
        }

        return taken == 0 || (braced && !TakeIf('}')) ? Fail() : new Symbol(name.Append('}').ToString());
    }
}
