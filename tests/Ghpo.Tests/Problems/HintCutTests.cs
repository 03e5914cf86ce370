using FsCheck;
using FsCheck.Fluent;
using Ghpo.Hints;
using Ghpo.Problems;
using Xunit;

namespace Ghpo.Tests.Problems;

public sealed class HintCutTests
{
    private static readonly ByteTokenizer Tokenizer = new();

    [Theory]
    [InlineData("abcdefgh", 0.25, "ab")]
    [InlineData("abcdefgh", 0.75, "abcdef")]
    [InlineData("abcdefghij", 0.25, "ab")] // 2.5 to the even 2
    [InlineData("abcdefghijklmn", 0.25, "abcd")] // 3.5 to the even 4
    [InlineData("ab", 0.25, "")] // 0.5 to the even 0
    [InlineData("abc", 0, "")]
    [InlineData("", 0.5, "")]
    public void Characters_are_rounded_half_to_even_as_in_the_paper(string solution, double ratio, string hint) =>
        Assert.Equal(hint, HintCut.Take(solution, ratio, HintUnit.Characters, Tokenizer));

    [Fact]
    public void A_hint_never_cuts_a_surrogate_pair()
    {
        Assert.Equal("😀", HintCut.Take("😀😀", 0.5, HintUnit.Characters, Tokenizer));
        Assert.Equal("a😀", HintCut.Take("a😀b😀", 0.5, HintUnit.Characters, Tokenizer));

        // Ten bytes; six would end within the second character.
        Assert.Equal("a😀", HintCut.Take("a😀😀b", 0.6, HintUnit.Tokens, Tokenizer));
    }

    [Theory]
    [InlineData("one\ntwo\nthree\nfour", 0.5, "one\ntwo\n")]
    [InlineData("one\n\n\ntwo\n", 0.5, "one\n")]
    [InlineData("one\ntwo\nthree\nfour", 0.01, "one\n")]
    [InlineData("A is 3.5. Then B? So C! And D", 0.5, "A is 3.5. Then B?")]
    [InlineData("Only one sentence.  ", 0.25, "Only one sentence.")]
    [InlineData("  \n ", 0.5, "")]
    public void Steps_are_lines_or_sentences_and_at_least_one(string solution, double ratio, string hint) =>
        Assert.Equal(hint, HintCut.Take(solution, ratio, HintUnit.Steps, Tokenizer));

    [Fact]
    public void A_hint_is_a_prefix_of_the_solution_grows_with_the_ratio_and_has_whole_characters_only() =>
        Prop.ForAll<NonNull<string>, byte, byte>((text, low, high) =>
        {
            string solution = text.Get + "é😀\n" + text.Get;
            (double small, double large) = (Math.Min(low, high) / 255.0, Math.Max(low, high) / 255.0);
            return Enum.GetValues<HintUnit>().All(unit =>
            {
                string shorter = HintCut.Take(solution, small, unit, Tokenizer);
                string longer = HintCut.Take(solution, large, unit, Tokenizer);
                return solution.StartsWith(longer, StringComparison.Ordinal)
                    && longer.StartsWith(shorter, StringComparison.Ordinal)
                    && !(longer.Length > 0 && longer.Length < solution.Length
                        && char.IsHighSurrogate(longer[^1]) && char.IsLowSurrogate(solution[longer.Length]));
            });
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_token_hint_has_no_more_tokens_than_its_share() =>
        Prop.ForAll<NonNull<string>, byte>((text, ratio) =>
        {
            int all = Tokenizer.EncodeText(text.Get).Count;
            string hint = HintCut.Take(text.Get, ratio / 255.0, HintUnit.Tokens, Tokenizer);
            return Tokenizer.EncodeText(hint).Count <= Math.Round(all * (ratio / 255.0), MidpointRounding.ToEven);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void A_ratio_outside_0_to_1_is_refused(double ratio) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => HintCut.Take("abc", ratio, HintUnit.Characters, Tokenizer));
}
