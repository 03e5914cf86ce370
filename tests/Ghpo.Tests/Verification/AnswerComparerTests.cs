using FsCheck;
using FsCheck.Fluent;
using Ghpo.Verification.Equivalence;
using Xunit;

namespace Ghpo.Tests.Verification;

public sealed class AnswerComparerTests
{
    [Theory]
    [InlineData("32", "032")]
    [InlineData("565", "565")]
    [InlineData("005", "5")]
    [InlineData("1/2", "0.5")]
    [InlineData("1/2", @"\frac{2}{4}")]
    [InlineData("1/2", @"\dfrac 12")]
    [InlineData("-3/4", @"\frac{-3}{4}")]
    [InlineData("-3/4", @"-\tfrac{3}{4}")]
    [InlineData("3/4", @"\frac{-3}{-4}")]
    [InlineData("1234567", "1,234,567")]
    [InlineData("1234", @"1{,}234")]
    [InlineData("1234", @"1,\!234")]
    [InlineData("+5", "5")]
    [InlineData("−5", "-5")]
    [InlineData("5.00", "5")]
    [InlineData("5", "5.")]
    [InlineData(".5", "0.5")]
    [InlineData("72", "$72")]
    [InlineData("72", @"\$72")]
    [InlineData("72", "$72$")]
    [InlineData("72", "$$ 72. $$")]
    [InlineData("72", @"\(72\)")]
    [InlineData("50%", @"50.0\%")]
    [InlineData("0", "-0")]
    [InlineData("1 / 2", "1/2")]
    [InlineData("2 \\pi r", "2\\pi r")]
    [InlineData(@"\left( 3, \frac{\pi}{2} \right)", @"(3,\dfrac\pi2)")]
    [InlineData("x^2+1", "x^{2} + 1")]
    [InlineData(@"\sqrt2", @"\sqrt{2}")]
    [InlineData(@"\frac{\sqrt3}{2}", @"\frac{ \sqrt{3} }2")]
    [InlineData("1, 2", "1,2")]
    [InlineData(@"x \leq 5", @"x\le 5")]
    [InlineData(@"90^\circ", @"90^{\circ}")]
    public void Equal_values_are_equal_however_they_are_written(string a, string b)
    {
        Assert.Equal(AnswerMatch.Equal, AnswerComparer.Compare(a, b));
        Assert.Equal(AnswerMatch.Equal, AnswerComparer.Compare(b, a));
    }

    [Theory]
    [InlineData("1,234", "1, 234")]
    [InlineData("12,34", "1234")]
    [InlineData("0,123", "123")]
    [InlineData("1,2", "12")]
    [InlineData("2 1/3", "21/3")]
    [InlineData("12", "1 2")]
    [InlineData("2 1/3", "7")]
    [InlineData("12.5", "1 2.5")]
    [InlineData("5", "-5")]
    [InlineData("5", "")]
    [InlineData("5", "$")]
    [InlineData("5", "1e1000000")]
    [InlineData("0", "0/0")]
    [InlineData("1/2", "1/-2")]
    [InlineData("5", "٥")]
    [InlineData("x", "X")]
    [InlineData(@"\pi r", @"\pir")]
    [InlineData(@"\sqrt{12}", @"\sqrt12")]
    [InlineData(@"\left\{1\right\}", "1")]
    [InlineData("[1,2)", "(1,2)")]
    public void Different_values_are_different_however_close(string a, string b) => Assert.Equal(AnswerMatch.Different, AnswerComparer.Compare(a, b));

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("$$")]
    public void A_reference_without_content_decides_nothing(string reference)
    {
        Assert.Equal(AnswerMatch.Undecided, AnswerComparer.Compare(reference, "5"));
        Assert.Equal(AnswerMatch.Undecided, AnswerComparer.Compare(reference, reference));
    }

    [Fact]
    public void Huge_numbers_and_deep_braces_are_refused_quickly()
    {
        string digits = new('9', 3_000_000);
        Assert.Equal(AnswerMatch.Different, AnswerComparer.Compare("5", digits));
        Assert.Equal(AnswerMatch.Undecided, AnswerComparer.Compare(digits, "5"));
        Assert.Equal(AnswerMatch.Equal, AnswerComparer.Compare(digits[..15_000], digits[..15_000]));
        Assert.Equal(AnswerMatch.Undecided, AnswerComparer.Compare(digits[..15_000], digits[..15_001]));
        Assert.Equal(AnswerMatch.Different, AnswerComparer.Compare("5", new string('{', 20_000)));
        Assert.Equal(AnswerMatch.Different, AnswerComparer.Compare("5", string.Concat(Enumerable.Repeat(@"\frac", 4_000))));
        Assert.Equal(AnswerMatch.Different, AnswerComparer.Compare("5", new string('$', 19_999)));
    }

    [Fact]
    public void A_fraction_equals_itself_expanded_and_nothing_beside_it() =>
        Prop.ForAll<int, NonZeroInt, NonZeroInt>((a, b, k) =>
        {
            (long above, long below) = ((long)a * k.Get, (long)b.Get * k.Get);
            string fraction = $@"\frac{{{a}}}{{{b.Get}}}";
            return AnswerComparer.Compare(fraction, $@"\dfrac{{{above}}}{{{below}}}") == AnswerMatch.Equal
                && AnswerComparer.Compare(fraction, $@"\dfrac{{{above + 1}}}{{{below}}}") == AnswerMatch.Different;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_number_equals_itself_written_with_separators_zeros_and_delimiters() =>
        Prop.ForAll<int>(n =>
        {
            string plain = n.ToString(System.Globalization.CultureInfo.InvariantCulture);
            string grouped = n.ToString("N2", System.Globalization.CultureInfo.InvariantCulture);
            return new[] { plain, grouped, $"${plain}$", $@"\frac{{{plain}}}{{1}}" }
                .All(other => AnswerComparer.Compare(plain, other) == AnswerMatch.Equal);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Random_text_never_throws_equals_itself_and_is_compared_the_same_both_ways() =>
        Prop.ForAll(AnswerExtractorTests.HostileText.ToArbitrary(), AnswerExtractorTests.HostileText.ToArbitrary(), (a, b) =>
        {
            AnswerMatch forth = AnswerComparer.Compare(a, b);
            AnswerMatch back = AnswerComparer.Compare(b, a);
            return AnswerComparer.Compare(a, a) is AnswerMatch.Equal or AnswerMatch.Undecided
                && (forth == AnswerMatch.Equal) == (back == AnswerMatch.Equal);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
}
