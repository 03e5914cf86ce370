using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Ghpo.Verification.Equivalence;
using Xunit;

namespace Ghpo.Tests.Verification;

/// <summary>What holds for every expression: generated ones, defined everywhere.</summary>
public sealed class AnswerLawTests
{
    /// <summary>An expression in LaTeX, and the same with its terms and factors the other way round.</summary>
    private sealed record Pair(string Text, string Reordered);

    private static readonly Gen<Pair> Leaf = Gen.OneOf(
        Gen.Choose(-9, 9).Select(n => n.ToString(CultureInfo.InvariantCulture)).Select(n => new Pair($"({n})", $"({n})")),
        Gen.Elements("x", "y", @"\pi", @"\sqrt{3}", @"\frac{2}{7}", "0.25").Select(name => new Pair(name, name)));

    private static readonly Gen<Pair> Expressions = Of(3);

    [Fact]
    public void An_expression_equals_itself_in_any_order_and_dress() => Check(Expressions, e =>
        Compare(e.Text, e.Text) && Compare(e.Text, e.Reordered) && Compare(e.Reordered, e.Text)
        && Compare(e.Text, $@"\frac{{2({e.Text})}}{{2}}") && Compare(e.Text, $@"$\left({e.Reordered}\right)$"));

    [Fact]
    public void Off_by_one_or_by_the_sign_is_another_expression() => Check(Expressions, e =>
        !Compare(e.Text, $"{e.Reordered}+1") && !Compare($"{e.Reordered}-1", e.Text)
        && !Compare($"({e.Text})^2+1", $"-({e.Text})^2-1") && !Compare($"({e.Text})^2+2", $"({e.Text})^2+3"));

    [Fact]
    public void It_does_not_matter_which_of_two_is_the_reference() => Check(Gen.Two(Answers()), pair => Compare(pair.Item1, pair.Item2) == Compare(pair.Item2, pair.Item1));

    [Fact]
    public void An_answer_equals_itself() => Check(Answers(), answer => Compare(answer, answer));

    private static Gen<Pair> Of(int depth) => depth == 0 ? Leaf : Gen.OneOf(
        Leaf,
        Gen.Two(Of(depth - 1)).Select(pair => new Pair($"({pair.Item1.Text} + {pair.Item2.Text})", $"({pair.Item2.Reordered}+{pair.Item1.Reordered})")),
        Gen.Two(Of(depth - 1)).Select(pair => new Pair($@"{pair.Item1.Text} \cdot {pair.Item2.Text}", $"{pair.Item2.Reordered}*{pair.Item1.Reordered}")),
        Of(depth - 1).Select(one => new Pair($@"\left({one.Text}\right)^{{2}}", $"({one.Reordered})({one.Reordered})")),
        Of(depth - 1).Select(one => new Pair($@"\frac{{{one.Text}}}{{3}}", $@"\frac13({one.Reordered})")));

    /// <summary>Values, tuples, lists, sets, intervals, equations, inequalities, quantities and words.</summary>
    private static Gen<string> Answers()
    {
        Gen<string> value = Of(1).Select(pair => pair.Text);
        Gen<(string A, string B)> two = Gen.Two(Gen.Choose(-20, 20)).Select(pair =>
            (Math.Min(pair.Item1, pair.Item2).ToString(CultureInfo.InvariantCulture), (Math.Max(pair.Item1, pair.Item2) + 1).ToString(CultureInfo.InvariantCulture)));
        return Gen.OneOf(
            value,
            two.Select(pair => $"({pair.A}, {pair.B})"), two.Select(pair => $"[{pair.A}, {pair.B})"), two.Select(pair => $"{pair.A} < x \\le {pair.B}"), two.Select(pair => $"{pair.A}, {pair.B}"),
            two.Select(pair => $@"\{{{pair.A}, {pair.B}\}}"), two.Select(pair => $@"x = {pair.A} \text{{ or }} x = {pair.B}"), two.Select(pair => $"{pair.A}x + y = {pair.B}"),
            two.Select(pair => $@"x > {pair.A} \text{{ and }} x < {pair.B}"), two.Select(pair => $@"(-\infty, {pair.A}) \cup ({pair.B}, \infty)"), two.Select(pair => $@"{pair.A} \pm {pair.B}"),
            two.Select(pair => $@"{pair.A}\%"), two.Select(pair => $@"{pair.A}\text{{ cm}}"), two.Select(pair => $@"{pair.A}^\circ"), two.Select(pair => $@"\begin{{pmatrix}}{pair.A}\\{pair.B}\end{{pmatrix}}"),
            Gen.Elements("yes", "B", "(B)", @"\text{no solution}", @"\emptyset", @"\mathbb{R}", "3:30", "2:3", "101_2", @"f(x) = x^2"));
    }

    private static bool Compare(string a, string b) => AnswerComparer.Compare(a, b) == AnswerMatch.Equal;

    private static void Check<T>(Gen<T> generator, Func<T, bool> property) => Prop.ForAll(generator.ToArbitrary(), property).Check(Config.QuickThrowOnFailure.WithMaxTest(100));
}
