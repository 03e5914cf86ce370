using FsCheck;
using FsCheck.Fluent;
using Ghpo.Verification;
using Ghpo.Verification.Extraction;
using Xunit;

namespace Ghpo.Tests.Verification;

public sealed class AnswerExtractorTests
{
    /// <summary>Pieces that random text is put together from: everything that the extractor and the formats look for.</summary>
    internal static readonly Gen<string> HostileText = Gen.Elements(
            @"\boxed{", @"\fbox{", @"\boxed", "}", "{", @"\", @"\{", @"\}", "<answer>", "</answer>", "####", "#", "\n", " ", "5", "x", "<think>", "</think>",
            "$", ",", ".", "/", @"\frac", "^", "%", "-", @"\left", "😀", "\ud83d", "\0", "٣")
        .ArrayOf().Select(string.Concat);

    [Theory]
    [InlineData(@"So \boxed{7}.", "7")]
    [InlineData(@"\boxed{1}. Then, no: \boxed{2}", "2")]
    [InlineData(@"\boxed{1} or $\boxed{2}$", "1, 2")]
    [InlineData(@"$\boxed{1}$, $\boxed{2}$, $\boxed{1}$", "2, 1")]
    [InlineData(@"\boxed{\frac{1}{2}}", @"\frac{1}{2}")]
    [InlineData(@"\boxed{\{1,2\}}", @"\{1,2\}")]
    [InlineData(@"\boxed{a\}b}", @"a\}b")]
    [InlineData(@"\fbox{ 3 }", "3")]
    [InlineData(@"\boxed 7", "7")]
    [InlineData(@"\boxed {7}", "7")]
    [InlineData(@"\boxed{\boxed{4}}", "4")]
    [InlineData(@"\boxed{5} \boxed{}", "5")]
    [InlineData(@"\boxed{5} \boxed{6", "5")]
    [InlineData(@"{ \boxed{5}", "5")]
    [InlineData(@"} \boxed{5}", "5")]
    [InlineData(@"\boxedx{5}", null)]
    [InlineData(@"\\boxed{5}", "5")]
    [InlineData(@"\boxed{", null)]
    [InlineData(@"\boxed", null)]
    [InlineData("the answer is 5", null)]
    [InlineData("", null)]
    public void The_last_complete_box_holds_the_answer(string text, string? answer) =>
        Assert.Equal(answer, AnswerExtractor.Find(text, AnswerMarker.Boxed)?.Text);

    [Theory]
    [InlineData("<answer>5</answer>", "5")]
    [InlineData("<answer>4</answer> no, <answer>\n5\n</answer>", "5")]
    [InlineData("<answer>4<answer>5</answer>", "5")]
    [InlineData("<answer>5</answer><answer>6", "5")]
    [InlineData("<answer>5</answer><answer> </answer>", "5")]
    [InlineData(@"<answer>It is \boxed{5}.</answer>", "5")]
    [InlineData("</answer>5<answer>", null)]
    public void The_last_complete_answer_tag_holds_the_answer(string text, string? answer) =>
        Assert.Equal(answer, AnswerExtractor.Find(text, AnswerMarker.AnswerTag)?.Text);

    [Theory]
    [InlineData("steps\n#### 72", "72")]
    [InlineData("#### 72\n#### 73\n", "73")]
    [InlineData("#### 72\n####\n", "72")]
    [InlineData("##### 72", null)]
    [InlineData("so #### 72", "72")]
    [InlineData("#### Step 2\nso 72", null)]
    public void The_last_line_of_hashes_holds_the_answer(string text, string? answer) =>
        Assert.Equal(answer, AnswerExtractor.Find(text, AnswerMarker.Gsm8k)?.Text);

    [Fact]
    public void Of_a_truncated_text_an_unfinished_line_of_hashes_does_not_count()
    {
        Assert.Null(AnswerExtractor.Find("#### 7", AnswerMarker.Gsm8k, truncated: true));
        Assert.Equal("72", AnswerExtractor.Find("#### 72\nand", AnswerMarker.Gsm8k, truncated: true)?.Text);
    }

    [Theory]
    [InlineData("#### 1\n<answer>2</answer> \\boxed{3} <answer>4</answer>", "4")]
    [InlineData("<answer>2</answer>\n#### 1", "1")]
    [InlineData("#### 1", "1")]
    public void Of_all_explicit_markers_the_last_counts(string text, string answer) =>
        Assert.Equal(answer, AnswerExtractor.Find(text, AnswerMarker.Any)?.Text);

    [Theory]
    [InlineData(@"<think>\boxed{1}</think>\boxed{2}", "2")]
    [InlineData(@"<think>\boxed{1}</think> so 2", null)]
    [InlineData(@"\boxed{1}</think> so 2", null)]
    [InlineData(@"<think>\boxed{1}", null)]
    [InlineData(@"a</think>b</think>\boxed{3}", "3")]
    public void Thinking_is_not_answering(string text, string? answer) => Assert.Equal(answer, AnswerExtractor.Find(text, AnswerMarker.Any)?.Text);

    [Fact]
    public void Random_text_never_throws_and_what_is_found_is_trimmed_and_stood_in_it() =>
        Prop.ForAll(HostileText.ToArbitrary(), text => Enum.GetValues<AnswerMarker>().All(marker =>
            AnswerExtractor.Find(text, marker) is not ExtractedAnswer answer
            || (answer.Text.Length > 0 && answer.Text.Trim() == answer.Text && answer.Text.Split(", ").All(part => text.Contains(part, StringComparison.Ordinal)))))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Theory]
    [InlineData(@"\boxed{")]
    [InlineData("{")]
    [InlineData("<answer>")]
    [InlineData("</think><think>")]
    [InlineData("####\n")]
    [InlineData(@"\boxed \")]
    public void A_long_text_of_markers_is_read_in_one_pass(string piece)
    {
        // A pass that is quadratic in these 3 MB would need hours.
        string text = string.Concat(Enumerable.Repeat(piece, 3_000_000 / piece.Length));
        Assert.Null(AnswerExtractor.Find(text, AnswerMarker.Any));
        Assert.False(FormatMatcher.Matches(FormatRule.Boxed, text));
    }
}
