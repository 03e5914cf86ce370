using System.Collections.Immutable;

namespace Ghpo.Verification.Expressions;

/// <summary>What an answer says, as a tree. Its depth is bounded by the parser's, so recursion over it is safe.</summary>
internal abstract record Expr
{
    public static readonly Expr Zero = new Number(Rational.Zero, IsDecimal: false);
    public static readonly Expr One = new Number(Rational.One, IsDecimal: false);
    public static readonly Expr MinusOne = new Number(Rational.MinusOne, IsDecimal: false);

    public static Expr Of(int value) => new Number(new Rational(value), IsDecimal: false);

    public static Expr Negate(Expr a) => a switch
    {
        Number number => number with { Value = -number.Value },
        BasedNumber based => based with { Digits = based.Digits[0] == '-' ? based.Digits[1..] : "-" + based.Digits },
        _ => new Product([MinusOne, a]),
    };

    public static Expr Divide(Expr a, Expr b) => new Product([a, new Power(b, MinusOne)]);

    public static Expr Subtract(Expr a, Expr b) => new Sum([a, Negate(b)]);
}

/// <param name="IsDecimal">Written with a decimal point or an exponent of ten: a comparison with it has a tolerance.</param>
internal sealed record Number(Rational Value, bool IsDecimal) : Expr;

/// <summary>A variable, its subscript and primes part of the name.</summary>
internal sealed record Symbol(string Name) : Expr
{
    /// <summary>The name of what is left unsaid, as in "≤ 5".</summary>
    public const string Unnamed = "#";
}

internal enum ConstantKind
{
    Pi,
    E,
    I,
    Infinity,

    /// <summary>The degree sign: π/180.</summary>
    Degree,

    /// <summary>0/0, 1/0, ∞ − ∞: equal to nothing, not even to itself.</summary>
    Undefined,
}

internal sealed record Constant(ConstantKind Kind) : Expr
{
    public static readonly Expr Undefined = new Constant(ConstantKind.Undefined);
    public static readonly Expr Infinity = new Constant(ConstantKind.Infinity);
}

internal sealed record Sum(ImmutableArray<Expr> Terms) : Expr;

internal sealed record Product(ImmutableArray<Expr> Factors) : Expr;

internal sealed record Power(Expr Base, Expr Exponent) : Expr;

/// <summary>The real root for an odd index and a negative radicand, else the principal one.</summary>
internal sealed record Root(Expr Radicand, Expr Index) : Expr;

/// <summary>A function's value. Names that the evaluator does not know stand for functions of which nothing is known but that equal arguments give equal values.</summary>
/// <param name="Applied">A letter and its bracket: f(x). Where the letter is no function's, it is a product.</param>
internal sealed record Call(string Name, ImmutableArray<Expr> Arguments, bool Applied = false) : Expr;

/// <summary>Left ± Right, or ∓. Stands for both values.</summary>
internal sealed record PlusMinus(Expr Left, Expr Right, bool MinusFirst) : Expr;

internal sealed record Percent(Expr Value) : Expr;

/// <summary>A value with its unit or a comment behind it.</summary>
/// <param name="Unit">Canonical name of a known unit, "" where the words are none.</param>
internal sealed record Quantity(Expr Value, string Unit) : Expr;

internal enum Bracket
{
    /// <summary>A list without brackets, or in braces that LaTeX does not print.</summary>
    None,
    Round,
    Square,
    Brace,
    Angle,

    /// <summary>Braces that are not escaped: a set or a mere group.</summary>
    BareBrace,
}

internal enum Connector
{
    Comma,
    And,
    Or,
}

/// <summary>Several values side by side: a list, tuple, set or interval by its brackets.</summary>
internal sealed record Sequence(Bracket Open, Bracket Close, ImmutableArray<Expr> Items, Connector Connector) : Expr
{
    public static readonly Sequence EmptySet = new(Bracket.Brace, Bracket.Brace, [], Connector.Comma);

    public static Sequence List(IEnumerable<Expr> items) => new(Bracket.None, Bracket.None, [.. items], Connector.Comma);
}

internal enum SetOperator
{
    Union,
    Intersection,
    Difference,
    Product,
}

internal sealed record SetOperation(SetOperator Operator, Expr Left, Expr Right) : Expr;

internal enum RelationKind
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Approximately,
    Element,

    /// <summary>Any other relation sign; its name is part of the value.</summary>
    Other,
}

internal readonly record struct RelationSign(RelationKind Kind, string Name);

/// <summary>A chain a R b S c: one sign fewer than operands.</summary>
internal sealed record Relation(ImmutableArray<Expr> Operands, ImmutableArray<RelationSign> Signs) : Expr;

internal sealed record Matrix(ImmutableArray<ImmutableArray<Expr>> Rows) : Expr
{
    public int Columns => Rows[0].Length;
}

/// <summary>a : b, or a : b : c. A time of day looks the same.</summary>
/// <param name="Clock">Written like a time: hours, then two digits of minutes.</param>
internal sealed record Ratio(ImmutableArray<Expr> Parts, bool Clock) : Expr;

internal sealed record SetBuilder(Expr Element, Expr Condition) : Expr;

/// <summary>ℝ, ℕ, …</summary>
internal sealed record NamedSet(string Name) : Expr;

/// <summary>Digits in a base that is written as a subscript.</summary>
internal sealed record BasedNumber(string Digits, string Base) : Expr;

/// <summary>Words.</summary>
internal sealed record Words(string Text) : Expr;
