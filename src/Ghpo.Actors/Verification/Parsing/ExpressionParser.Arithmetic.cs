using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>Sums, products, signs, powers, and the units behind them.</summary>
internal sealed partial class ExpressionParser
{
    private Expr AdditiveExpression()
    {
        var terms = new List<Expr>();
        int alternatives = 0;
        if (!IsPlusMinus(Current) && !Follows("+/-"))
        {
            terms.Add(Term());
        }

        while (!_failed)
        {
            Token sign = Current;
            if (IsPlusMinus(sign) || Follows("+/-"))
            {
                _at += IsPlusMinus(sign) ? 1 : 3;
                Expr left = terms.Count == 0 ? Expr.Zero : SumOf(terms);
                terms = [new PlusMinus(left, Term(), sign.Text == "mp")];
                if (++alternatives > 8)
                {
                    return Fail();
                }
            }
            else if (sign.Is('+'))
            {
                _at++;
                terms.Add(Term());
            }
            else if (sign.Is('-'))
            {
                _at++;
                Expr term = Term();
                bool set = terms is [NamedSet] && term is Sequence { Open: Bracket.Brace or Bracket.BareBrace };
                terms = set ? [new SetOperation(SetOperator.Difference, terms[0], term)] : [.. terms, Expr.Negate(term)];
            }
            else
            {
                break;
            }
        }

        if (terms.Count > 1 && terms.Any(term => term is Words) && terms.Any(term => term is Number))
        {
            return Fail();
        }

        return _failed ? Constant.Undefined : WithUnit(SumOf(terms));
    }

    private bool Follows(string signs)
    {
        for (int i = 0; i < signs.Length; i++)
        {
            if (_at + i >= _tokens.Count || !_tokens[_at + i].Is(signs[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsPlusMinus(Token token) => token.Text is "pm" or "mp" && token.Kind is TokenKind.Command or TokenKind.Name;

    private static Expr SumOf(List<Expr> terms) => terms.Count == 1 ? terms[0] : new Sum([.. terms]);

    private Expr Term()
    {
        bool negative = false;
        while (Current.Is('+') || Current.Is('-'))
        {
            negative ^= Take().Is('-');
        }

        if (Current.Kind == TokenKind.Currency)
        {
            string unit = Take().Text;
            Expr amount = Term();
            return amount is Words or Quantity ? Fail() : new Quantity(negative ? Expr.Negate(amount) : amount, unit);
        }

        var factors = new List<Expr>();
        int start = _at;
        factors.Add(PowerExpression());
        while (!_failed)
        {
            Token token = Current;
            if ((token.Is('*') && !Next.Is('*')) || token.IsCommand("cdot") || token.IsCommand("times") || token.IsCommand("ast") || token is { Kind: TokenKind.Name, Text: "times" })
            {
                _at++;
                factors.Add(SignedFactor());
            }
            else if (token.Is('/') || token.IsCommand("div"))
            {
                _at++;
                Expr below = Denominator();
                if (below is Percent { Value: Number share } && factors is [Number])
                {
                    // 1/2 % is half a percent.
                    factors = [new Percent(Expr.Divide(factors[0], share))];
                    continue;
                }

                factors.Add(new Power(below, Expr.MinusOne));
            }
            else if (IsModulus(token))
            {
                _at++;
                Expr left = ProductOf(factors);
                factors = [new Call("mod", [left, SignedFactor()])];
            }
            else if (token.Is('(') && (IsModulus(Next) || Next.IsCommand("pmod")))
            {
                _at += 2;
                Expr left = ProductOf(factors);
                factors = [new Call("pmod", [left, AdditiveExpression()])];
                if (!TakeIf(')'))
                {
                    return Fail();
                }
            }
            else if (token.IsCommand("pmod"))
            {
                _at++;
                Expr left = ProductOf(factors);
                factors = [new Call("pmod", [left, Argument()])];
            }
            else if (token is { Kind: TokenKind.Letter, Text: "x" or "X" } && factors[^1] is Number && Next is { Kind: TokenKind.Number, Text: "10" } && _tokens[Math.Min(_at + 2, _tokens.Count - 1)] is { Kind: TokenKind.Superscript } or { Kind: TokenKind.Sign, Text: "^" })
            {
                // 1.2 x 10^5
                _at++;
                factors.Add(PowerExpression());
            }
            else if (StartsFactor(token) && !token.Wide)
            {
                bool afterNumber = _at == start + 1 && _tokens[start].Kind == TokenKind.Number;
                if (afterNumber && MixedFraction((factors[^1] as Number)?.Value) is Expr fraction)
                {
                    factors[^1] = Postfixes(new Sum([factors[^1], fraction]));
                    continue;
                }

                if (token.Kind is TokenKind.Number or TokenKind.VulgarFraction && _tokens[_at - 1].Kind is TokenKind.Number or TokenKind.Letter or TokenKind.VulgarFraction)
                {
                    return Fail();
                }

                factors.Add(PowerExpression());
            }
            else
            {
                break;
            }
        }

        if (factors.Count > 1 && UnitOf(factors[^1]) is string rate)
        {
            factors.RemoveAt(factors.Count - 1);
            return new Quantity(negative ? Expr.Negate(ProductOf(factors)) : ProductOf(factors), rate);
        }

        if (factors.Count > 1 && factors.Any(factor => factor is Words))
        {
            return Fail();
        }

        Expr product = ProductOf(factors);
        return negative ? Expr.Negate(product) : product;
    }

    private static bool IsModulus(Token token) => token.IsCommand("bmod") || token.IsCommand("mod") || (token.Kind is TokenKind.Name or TokenKind.Text && token.Text.Trim(' ', '~') == "mod");

    private static Expr ProductOf(List<Expr> factors) => factors.Count == 1 ? factors[0] : new Product([.. factors]);

    private Expr SignedFactor()
    {
        bool negative = false;
        while (Current.Is('+') || Current.Is('-'))
        {
            negative ^= Take().Is('-');
        }

        Expr factor = PowerExpression();
        return negative ? Expr.Negate(factor) : factor;
    }

    /// <summary>What a slash divides by: 1/2x is x/2, but 1/xy is 1/(xy).</summary>
    private Expr Denominator()
    {
        bool letters = Current.Kind == TokenKind.Letter;
        Expr first = SignedFactor();
        var factors = new List<Expr> { first };
        while (!_failed && letters && Current is { Kind: TokenKind.Letter, Spaced: false })
        {
            factors.Add(PowerExpression());
        }

        return ProductOf(factors);
    }

    private bool StartsFactor(Token token) => !IsUnionLetter() && !IsSquareMetres(_at) && !(_sets > 0 && token.IsCommand("lvert")) && token.Kind switch
    {
        TokenKind.Number or TokenKind.Letter or TokenKind.VulgarFraction or TokenKind.Begin => true,
        TokenKind.Name => ConnectiveOf(token) is null && !IsNamedUnit() && token.Text is not ("union" or "cup" or "cap" or "pm" or "mod" or "times"),
        TokenKind.Sign => (token.Text[0] == '(' && !IsDeclaration()) || token.Text[0] == '{' || (token.Text[0] == '|' && _bars == 0 && _sets == 0 && _given == 0) || (token.Text[0] == '[' && !_reversed && !IsOpenEnd(_at) && _at > 0 && _tokens[_at - 1].Kind is TokenKind.Number or TokenKind.Letter),
        TokenKind.Command => token.Text is "frac" or "dfrac" or "tfrac" or "cfrac" or "sqrt" or "cbrt" or "fourthroot" or "binom" or "dbinom" or "tbinom" or "pi" or "infty" or "lfloor" or "lceil"
            or "lvert" or "lVert" or "overline" or "bar" or "vec" or "hat" or "tilde" or "widehat" or "overrightarrow" or "dot" or "angle" or "triangle" or "sum" or "prod" or "int" or "lim" or "iint" or "oint"
            or "operatorname" or "boxed" or "fbox" or "ldots" or "cdots" or "dots" or "partial" or "nabla" or "underline" or "mathbf" or "mathrm" or "displaystyle" or "mathcal" or "mathbb" or "prime"
            || Vocabulary.FunctionOf(token.Text) is not null,
        _ => false,
    };
}
