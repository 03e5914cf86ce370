using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Ghpo.Verification.Equivalence;
using Xunit;

namespace Ghpo.Tests.Verification;

/// <summary>Generated expressions against rewrites that keep the value and near misses that do not.</summary>
public sealed class AnswerRewriteTests
{
    private static readonly Gen<int> Small = Gen.Choose(-9, 9);
    private static readonly Gen<int> Positive = Gen.Choose(2, 9);

    private static readonly Gen<(int A, int B, int C, int D)> Four =
        Gen.Two(Gen.Two(Small)).Select(pair => (pair.Item1.Item1, pair.Item1.Item2, pair.Item2.Item1, pair.Item2.Item2));

    [Fact]
    public void A_product_of_linear_factors_equals_its_expansion_and_no_neighbour_of_it() => Check(Four, one =>
    {
        (int a, int b, int c, int d) = one;
        string factored = $"({Linear(a, b)})({Linear(c, d)})";
        string expanded = Quadratic(a * c, (a * d) + (b * c), b * d);
        return Equal(factored, expanded) && Equal($"({Linear(c, d)})({Linear(a, b)})", expanded)
            && Different(factored, Quadratic(a * c, (a * d) + (b * c), (b * d) + 1))
            && Different(factored, Quadratic(a * c, (a * d) + (b * c) - 1, b * d));
    });

    [Fact]
    public void An_equation_may_be_scaled_and_turned_but_not_changed() => Check(Four, one =>
    {
        (int a, int b, int c, int k) = one;
        (a, k) = (a == 0 ? 1 : a, k == 0 ? 2 : k);
        string equation = $"{a}x + ({b})y = {c}";
        return Equal(equation, $"{k * a}x + ({k * b})y = {k * c}") && Equal(equation, $"0 = {c} - ({a})x - ({b})y")
            && Different(equation, $"{a}x + ({b})y = {c + 1}") && Different(equation, $"{a}x + ({b + 1})y = {c}");
    });

    [Fact]
    public void An_inequality_turns_with_the_sign_of_its_factor() => Check(Four, one =>
    {
        (int a, _, int c, int k) = one;
        (a, k) = (a == 0 ? 1 : a, k == 0 ? -2 : k);
        (string same, string turned) = k > 0 ? ("<", ">") : (">", "<");
        return Equal($"{a}x < {c}", $"{k * a}x {same} {k * c}") && Different($"{a}x < {c}", $"{k * a}x {turned} {k * c}")
            && Different($"{a}x < {c}", $"{k * a}x {same}= {k * c}") && Different($"{a}x < {c}", $"{k * a}x {same} {(k * c) + 1}");
    });

    [Fact]
    public void A_root_in_the_denominator_may_be_rationalised() => Check(Gen.Two(Positive), one =>
    {
        (int a, int b) = one;
        b += (int)Math.Sqrt(b) * (int)Math.Sqrt(b) == b ? 1 : 0;
        int square = (a * a) - b;
        return square == 0 || (Equal($@"\frac{{1}}{{{a}+\sqrt{{{b}}}}}", $@"\frac{{{a}-\sqrt{{{b}}}}}{{{square}}}")
            && Equal($@"\sqrt{{{a * a * b}}}", $@"{a}\sqrt{{{b}}}")
            && Different($@"\frac{{1}}{{{a}+\sqrt{{{b}}}}}", $@"\frac{{{a}+\sqrt{{{b}}}}}{{{square}}}")
            && Different($@"\sqrt{{{a * a * b}}}", $@"{a}\sqrt{{{b + 1}}}"));
    });

    [Fact]
    public void A_decimal_equals_its_fraction_and_no_other() => Check(Gen.Two(Gen.Choose(-99_999, 99_999)), one =>
    {
        decimal value = one.Item1 / 1000m;
        string text = value.ToString(CultureInfo.InvariantCulture);
        return Equal(text, $@"\frac{{{one.Item1}}}{{1000}}") && Different(text, $@"\frac{{{one.Item1 + 1}}}{{1000}}")
            && (one.Item1 == 0 || Different(text, $@"\frac{{{-one.Item1}}}{{1000}}"));
    });

    [Fact]
    public void A_tuple_is_ordered_and_a_list_is_not() => Check(Four, one =>
    {
        (int a, int b, int c, _) = one;
        return Equal($"{a}, {b}, {c}", $"{c}, {a}, {b}") && Equal($@"\{{{a}, {b}\}}", $@"\{{{b}, {a}\}}")
            && ((a, b, c) == (c, a, b) || Different($"({a}, {b}, {c})", $"({c}, {a}, {b})"))
            && Different($"{a}, {b}, {c}", $"{a}, {b}, {c + 1}") && Different($"{a}, {b}", $"{a}, {b}, {c}");
    });

    [Fact]
    public void An_interval_has_its_ends_and_their_openness() => Check(Gen.Two(Small), one =>
    {
        (int low, int high) = (one.Item1, one.Item1 + Math.Abs(one.Item2) + 1);
        string[] brackets = ["()", "(]", "[)", "[]"];
        string[] relations = [$"{low}<x<{high}", $@"{low}<x\le {high}", $@"{low}\le x<{high}", $@"{low}\le x\le {high}"];
        return Enumerable.Range(0, 4).All(i => Enumerable.Range(0, 4).All(j =>
        {
            string interval = $"{brackets[i][0]}{low},{high}{brackets[i][1]}";
            return i == j ? Equal(interval, relations[j]) : Different(interval, relations[j]);
        })) && Different($"[{low},{high}]", $"[{low},{high + 1}]");
    });

    [Fact]
    public void Fractions_of_sums_may_be_split() => Check(Four, one =>
    {
        (int a, int b, int c, int d) = one;
        (c, d) = (c == 0 ? 3 : c, d == 0 ? 5 : d);
        return Equal($@"\frac{{{a}x+({b})}}{{{c}}}", $@"\frac{{{a}}}{{{c}}}x+\frac{{{b}}}{{{c}}}")
            && Equal($@"\frac{{1}}{{x+({c})}}+\frac{{1}}{{x+({d})}}", $@"\frac{{2x+({c + d})}}{{(x+({c}))(x+({d}))}}")
            && Different($@"\frac{{1}}{{x+({c})}}+\frac{{1}}{{x+({d})}}", $@"\frac{{2x+({c - d})}}{{(x+({c}))(x+({d}))}}");
    });

    private static string Linear(int a, int b) => $"{a}x + ({b})";

    private static string Quadratic(int a, int b, int c) => $"({c}) + {a}x^2 + ({b})x";

    private static bool Equal(string a, string b) => AnswerComparer.Compare(a, b) == AnswerMatch.Equal && AnswerComparer.Compare(b, a) == AnswerMatch.Equal;

    private static bool Different(string a, string b) => AnswerComparer.Compare(a, b) == AnswerMatch.Different && AnswerComparer.Compare(b, a) == AnswerMatch.Different;

    private static void Check<T>(Gen<T> generator, Func<T, bool> property) => Prop.ForAll(generator.ToArbitrary(), property).Check(Config.QuickThrowOnFailure.WithMaxTest(60));
}
