using Ghpo.Verification;
using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Extraction;
using Xunit;

namespace Ghpo.Tests.Verification;

/// <summary>Input made to hang, overflow or fool the verifier. Work is bounded by counting it, so these tests end by themselves or not at all.</summary>
public sealed class HostileAnswerTests
{
    /// <summary>A piece, how often it is repeated, and what stands behind it.</summary>
    public static TheoryData<string, int, string> Hostile => new()
    {
        { "9", 10_000_000, "" }, { "hello world ", 850_000, "" }, { "(", 1_000_000, "" }, { "{", 1_000_000, "" }, { @"\boxed{", 1_000_000, "" }, { @"\boxed{1}", 500_000, "" },
        { "$", 1_000_000, "" }, { @"\(", 1_000_000, "" }, { "answer is ", 500_000, "" }, { "Answer: 4\n", 500_000, "" }, { "#### ", 1_000_000, "" }, { "<answer>", 1_000_000, "" },
        { "<answer>1</answer>", 300_000, "" }, { "<think>", 1_000_000, "" }, { " ", 10_000_000, "" }, { @"\", 5_000_000, "" },
        { "9^{", 60, "9" + new string('}', 60) }, { "9!", 1, new string('!', 30) }, { "(1+x)^", 1, "{100000}" }, { "(a+b+c+d+e)^", 1, "{40}" }, { "(", 9_000, "5" + new string(')', 9_000) },
        { "x+", 9_000, "1" }, { "(x+1)", 3_000, "" }, { @"\frac{1}{1+", 80, "x" + new string('}', 80) }, { @"\sqrt{x+", 80, "2" + new string('}', 80) }, { @"\sin(", 80, "x" + new string(')', 80) },
        { "e^{", 80, "x" + new string('}', 80) }, { @"\pm x", 3_000, "" }, { @"1\pm 2,", 2_000, "1" }, { "x,", 5_000, "x" }, { "1e9999", 1, "99999" }, { "9", 9_999, "" }, { "9", 4_999, "/7" },
        { @"\binom{100000}", 1, "{50000}" }, { @"1&2\\", 3_000, "" }, { @"\begin{pmatrix}x&y\\z&w\end{pmatrix}", 1, "^{64}" }, { @"\begin{pmatrix}x&y\\z&w\end{pmatrix}", 200, "" },
        { @"(1,2)\cup", 300, "(1,2)" }, { "1<", 500, "2" }, { "1=", 3_000, "1" }, { @"\cos(10^{5000}", 1, ")" }, { @"\sin(9^{9^9}", 1, ")" }, { @"\sqrt[999]", 1, "{2}" },
        { "x^{99999999999999999999}", 1, "" }, { "|", 9_000, "" }, { "[(", 5_000, "" }, { @"\text{", 3_000, "" }, { "½²√", 3_000, "" }, { "5\u0301", 5_000, "" }, { @"\left(", 3_000, "" },
        { "f'", 1, new string('\'', 5_000) }, { "x_x", 5_000, "" }, { "-", 15_000, "5" }, { "\0", 3, "" }, { "\ud83d", 1, "" }, { "a b ", 4_000, "" }, { "5%", 1, new string('%', 5_000) },
        { @"\sqrt{2}+\sqrt{3}+\sqrt{5}+\sqrt{7}+", 40, @"\sqrt{11}" }, { @"\{1,2\}\setminus", 500, @"\{1\}" }, { "((((100!)!)!)!", 1, ")!" }, { @"\ln(", 50, "2" + new string(')', 50) },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Hostile_text_ends_quietly_and_is_not_the_answer(string piece, int count, string end)
    {
        string text = string.Concat(Enumerable.Repeat(piece, count)) + end;
        Assert.NotEqual(AnswerMatch.Equal, AnswerComparer.Compare("7", text));
        Assert.NotEqual(AnswerMatch.Equal, AnswerComparer.Compare("y+1", text));
        Assert.NotEqual(AnswerMatch.Equal, AnswerComparer.Compare(text, "7"));
        AnswerComparer.Compare(text, text);
        foreach (AnswerMarker marker in Enum.GetValues<AnswerMarker>())
        {
            AnswerExtractor.Find(text, marker);
        }
    }

    [Theory]
    [InlineData("9^{9^{9^9}}")]
    [InlineData(@"\int_0^\infty e^{-x^2} dx")]
    [InlineData(@"\frac{1}{")]
    public void What_cannot_be_evaluated_or_read_equals_itself_alone(string text)
    {
        Assert.Equal(AnswerMatch.Equal, AnswerComparer.Compare(text, text));
        Assert.NotEqual(AnswerMatch.Equal, AnswerComparer.Compare(text, text + "+1"));
    }

    [Fact]
    public void What_the_fuzzer_found_is_mended()
    {
        foreach (string[] pair in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Verification", "fuzz.tsv")).Where(line => line[0] != '#').Select(line => line.Split('\t')))
        {
            AnswerMatch forth = AnswerComparer.Compare(pair[0], pair[1]);
            AnswerMatch back = AnswerComparer.Compare(pair[1], pair[0]);
            Assert.Equal(forth == AnswerMatch.Equal, back == AnswerMatch.Equal);
            Assert.True(AnswerComparer.Compare(pair[0], pair[0]) == AnswerMatch.Equal || pair[0].Contains("{64}", StringComparison.Ordinal), pair[0]);
        }
    }

    [Fact]
    public void A_verdict_does_not_depend_on_thread_or_order()
    {
        (string, string)[] pairs =
        [
            (@"\sin 2x", @"2\sin x\cos x"), (@"\sqrt{5+2\sqrt6}", @"\sqrt2+\sqrt3"), (@"\tanh(1000)", "1"), (@"\ln x^2", @"2\ln x"), (@"\cos 36^\circ", @"\frac{1+\sqrt5}{4}"),
        ];
        AnswerMatch[] alone = [.. pairs.Select(pair => AnswerComparer.Compare(pair.Item1, pair.Item2))];
        Parallel.For(0, 200, i => Assert.Equal(alone[i * 7 % 5], AnswerComparer.Compare(pairs[i * 7 % 5].Item1, pairs[i * 7 % 5].Item2)));
        Assert.Equal([AnswerMatch.Equal, AnswerMatch.Equal, AnswerMatch.Different, AnswerMatch.Different, AnswerMatch.Equal], alone);
    }
}
