using System.Collections.Immutable;
using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Parsing;

/// <summary>What stands in words: operators by name, and text.</summary>
internal sealed partial class ExpressionParser
{
    private const int MaxDiagonal = 20;

    private bool IsApplied(int at) => _tokens[at] is { Spaced: false } next && (next.Is('(') || next.IsCommand("{"));

    /// <summary>diag(1, 2) and Matrix([[1, 2], [3, 4]]) are matrices. Of rank(A), span{…} and others nothing is known but the name.</summary>
    private Expr NamedOperator(string name)
    {
        Expr inside = Operand();
        ImmutableArray<Expr> arguments = inside is Sequence several ? several.Items : [inside];
        return name switch
        {
            "diag" when arguments.Length <= MaxDiagonal && arguments.All(ExpressionTree.IsScalar) =>
                new Matrix([.. arguments.Select((entry, i) => arguments.Select((_, j) => i == j ? entry : Expr.Zero).ToImmutableArray())]),
            "Matrix" when arguments.All(row => row is Sequence { Open: Bracket.Square }) && arguments.Select(row => ((Sequence)row).Items.Length).Distinct().Count() == 1 =>
                new Matrix([.. arguments.Select(row => ((Sequence)row).Items)]),
            "Matrix" when inside is Sequence { Open: Bracket.Square } && arguments.All(ExpressionTree.IsScalar) => new Matrix([.. arguments.Select(entry => ImmutableArray.Create(entry))]),
            _ => new Call(name, arguments),
        };
    }

    private Expr TextOperand()
    {
        string text = Take().Text.Trim(' ', '~', '\n', '$');
        if (text.Length > 1 && text.All(char.IsAsciiLetter) && IsApplied(_at))
        {
            return NamedOperator(text);
        }

        if (Current.Is('_') && text.Length > 0 && text.All(char.IsAsciiLetterOrDigit))
        {
            return Based(text);
        }

        string bare = _tokens.Count == 2 ? AnswerText.Clean(text) : text.TrimEnd('.', ',', ';', ' ');
        return bare.Length is > 0 and < 500 && !(_tokens.Count == 2 && (bare == "NO" || WordText.IsAcronym(bare))) && AnswerText.DateOf(bare) is null && Parse(bare, (_depth / 10) + 1) is Expr inner ? inner : new Words(text);
    }
}
