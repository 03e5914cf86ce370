using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Problems;
using Xunit;

namespace Ghpo.Tests.Problems;

public sealed class PromptBudgetTests
{
    private static readonly HintSettings Hints = new(HintStrategy.Ladder, [0.25, 0.5, 0.75], 0.5, HintUnit.Characters, 0);

    [Fact]
    public void The_first_problem_that_is_too_long_is_named_with_its_tokens_and_both_ways_out()
    {
        (PromptBuilder builder, PromptSettings settings) = Prompts(TooLong.Refuse);
        Problem first = Sized("p/7", 30);

        string error = Assert.Throws<UserErrorException>(
            () => PromptBudget.Apply(new ProblemSet("p", [Sized("p/1", 5), first], [Sized("p/8", 40)]), builder, settings)).Message;
        Assert.Contains("Problem p/7 has 32 prompt tokens", error, StringComparison.Ordinal);
        Assert.Contains("ghpo.prompt.max-tokens = 20 (2 such problems, the longest has 42)", error, StringComparison.Ordinal);
        Assert.Contains("Set ghpo.prompt.max-tokens = 42 or more, or leave such problems out with ghpo.prompt.too-long = skip.", error, StringComparison.Ordinal);
        Assert.Throws<UserErrorException>(() => builder.Build(new GroupAttempt(new GroupId(0, 0), first.Id, 0, 0), first));
    }

    [Fact]
    public void Skipped_problems_are_left_out_of_both_parts_and_join_the_rows_skipped_before()
    {
        (PromptBuilder builder, PromptSettings settings) = Prompts(TooLong.Skip);
        var before = new SkippedRow("p.jsonl", 3, SkipCause.Incomplete, "no answer");
        ProblemSet set = PromptBudget.Apply(
            new ProblemSet("p", [Sized("p/1", 18), Sized("p/7", 19)], [Sized("p/8", 40), Sized("p/9", 1)]) { Skipped = [before] }, builder, settings);

        Assert.Equal("p/1", Assert.Single(set.Train).Id.Value);
        Assert.Equal("p/9", Assert.Single(set.HeldOut).Id.Value);
        Assert.Equal(
            [
                "p.jsonl, line 3: no answer",
                "p/7 has 21 prompt tokens, more than ghpo.prompt.max-tokens = 20",
                "p/8 has 42 prompt tokens, more than ghpo.prompt.max-tokens = 20",
            ],
            set.Skipped.Select(row => row.ToString()));
        Assert.Equal(
            "left out: 1 without problem or answer, 2 longer than the prompt may be; the first: p.jsonl, line 3: no answer", SkippedRow.Describe(set.Skipped));
        Assert.Null(SkippedRow.Describe([]));
    }

    [Fact]
    public void A_data_set_of_which_nothing_fits_is_refused_even_where_long_problems_are_skipped()
    {
        (PromptBuilder builder, PromptSettings settings) = Prompts(TooLong.Skip);
        string error = Assert.Throws<UserErrorException>(
            () => PromptBudget.Apply(new ProblemSet("p", [Sized("p/7", 30)], [Sized("p/8", 5)]), builder, settings)).Message;
        Assert.Contains("Set ghpo.prompt.max-tokens = 32 or more; leaving out those that are too long leaves nothing to train on.", error, StringComparison.Ordinal);
    }

    /// <summary>A budget of 20 tokens, of which the compact template takes two.</summary>
    private static (PromptBuilder Builder, PromptSettings Settings) Prompts(TooLong tooLong)
    {
        var settings = new PromptSettings(PromptTemplate.Compact.Name, "", 20, tooLong, "auto");
        return (new PromptBuilder(PromptTemplate.Compact, new ByteTokenizer([.. CompactTokens.All]), settings, Hints), settings);
    }

    private static Problem Sized(string id, int bytes) => new(new ProblemId(id), new string('x', bytes), "1", "2", "");
}
