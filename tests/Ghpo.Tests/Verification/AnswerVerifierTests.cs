using System.Text.Json;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Tests.Problems;
using Ghpo.Verification;
using Ghpo.Verification.Extraction;
using Xunit;

namespace Ghpo.Tests.Verification;

public sealed class AnswerVerifierTests(ITestOutputHelper output)
{
    private static readonly AnswerVerifier Verifier = new(AnswerMarker.Any, FormatRule.None);

    [Theory]
    [InlineData(@"\boxed{4/6}", FinishReason.Stopped, Verdict.Correct, "parsed 4/6, expected 2/3")]
    [InlineData(@"\boxed{3/4}", FinishReason.Stopped, Verdict.Wrong, "parsed 3/4, expected 2/3")]
    [InlineData(@"\boxed{2/3} and on and on", FinishReason.Length, Verdict.Correct, "parsed 2/3, expected 2/3")]
    [InlineData(@"\boxed{1} and on and on", FinishReason.Length, Verdict.Wrong, "parsed 1, expected 2/3")]
    [InlineData(@"so \boxed{2/", FinishReason.Length, Verdict.Truncated, "cut before a complete answer")]
    [InlineData("<think>hm", FinishReason.Length, Verdict.Truncated, "cut before a complete answer")]
    [InlineData("it is 2/3", FinishReason.Stopped, Verdict.Malformed, "no marked answer")]
    [InlineData(@"<think>\boxed{2/3}", FinishReason.Stopped, Verdict.Malformed, "thinking is not closed")]
    [InlineData("", FinishReason.Stopped, Verdict.Malformed, "no marked answer")]
    public void A_completion_is_judged_by_its_marked_answer(string completion, FinishReason finish, Verdict verdict, string reason) =>
        Assert.Equal(new Judgement(verdict, true, reason), Verifier.Judge(completion, finish, Expecting("2/3")));

    [Theory]
    [InlineData("5")]
    [InlineData("")]
    public void A_reference_that_cannot_be_read_makes_no_answer_wrong(string completion)
    {
        Judgement judgement = Verifier.Judge(completion, FinishReason.Stopped, Expecting(" "));
        Assert.Equal(Verdict.Unverifiable, judgement.Verdict);
        Assert.False(judgement.Counts);
    }

    [Fact]
    public void A_reason_stays_short_whatever_the_answer() =>
        Assert.InRange(Verifier.Judge($@"\boxed{{{new string('9', 100_000)}}}", FinishReason.Stopped, Expecting("5")).Reason.Length, 1, 100);

    [Fact]
    public void The_form_is_judged_apart_from_the_answer()
    {
        var verifier = new AnswerVerifier(AnswerMarker.Any, FormatRule.ThinkAnswer);
        Assert.Equal((Verdict.Wrong, true), Of(verifier.Judge("<think>\nx\n</think>\n<answer>\n1\n</answer>", FinishReason.Stopped, Expecting("5"))));
        Assert.Equal((Verdict.Correct, false), Of(verifier.Judge("<answer>5</answer>", FinishReason.Stopped, Expecting("5"))));
    }

    [Theory]
    [InlineData("<think>\na\n</think>\n<answer>\nb\n</answer>", true)]
    [InlineData("<think>\n\n</think>\n<answer>\n\n</answer>", true)]
    [InlineData("<think>\na\n\nb\n</think>\n<answer>\nc\nd\n</answer>\n", true)]
    [InlineData("<think>\na\n</think>\n<answer>\n</think>\n<answer>\nb\n</answer>", true)]
    [InlineData("<think>\n</think>\n<answer>\nb\n</answer>", false)]
    [InlineData("<think>\na\n</think>\n<answer>\n</answer>", false)]
    [InlineData("<think>a</think>\n<answer>\nb\n</answer>", false)]
    [InlineData(" <think>\na\n</think>\n<answer>\nb\n</answer>", false)]
    [InlineData("<think>\na\n</think>\n<answer>\nb\n</answer> ", false)]
    [InlineData("<think>\na\n</think>\n<answer>\nb\n</answer>\n\n", false)]
    public void Think_answer_is_the_papers_pattern(string completion, bool matches)
    {
        Assert.Equal(matches, FormatMatcher.Matches(FormatRule.ThinkAnswer, completion));
        Assert.Equal(
            matches,
            System.Text.RegularExpressions.Regex.IsMatch(
                completion, "^<think>\n.*?\n</think>\n<answer>\n.*?\n</answer>$", System.Text.RegularExpressions.RegexOptions.Singleline));
    }

    [Theory]
    [InlineData(@"so $\boxed{5}$.", true)]
    [InlineData(@"<think>\boxed{4}</think>\boxed{5}", true)]
    [InlineData(@"\boxed{4}, \boxed{5}", false)]
    [InlineData(@"\boxed{5} is the answer", false)]
    [InlineData(@"<think>\boxed{5}", false)]
    [InlineData("5", false)]
    public void The_boxed_form_is_one_box_at_the_end(string completion, bool matches) =>
        Assert.Equal(matches, FormatMatcher.Matches(FormatRule.Boxed, completion));

    [Fact]
    public void A_reward_is_the_weighted_sum_of_accuracy_and_form()
    {
        var settings = new RewardSettings(1.0, 0.5, FormatRule.ThinkAnswer, LengthRewardSettings.Off, OwnRewardSettings.None);
        Assert.Equal(1.5, Rewards.Of(Verdict.Correct, true, settings));
        Assert.Equal(1.0, Rewards.Of(Verdict.Correct, false, settings));
        Assert.Equal(0.5, Rewards.Of(new TrainingSample(new Completion([], [], FinishReason.Stopped), Verdict.Truncated, true), settings));
        Assert.Equal(0.0, Rewards.Of(Verdict.Malformed, false, settings));
    }

    [Theory]
    [InlineData(Verdict.Unverifiable)]
    [InlineData(Verdict.VerifierFailed)]
    public void A_failure_of_the_verifier_has_no_reward_not_even_zero(Verdict verdict) =>
        Assert.Throws<ArgumentException>(() => Rewards.Of(verdict, true, new RewardSettings(1, 0, FormatRule.None, LengthRewardSettings.Off, OwnRewardSettings.None)));

    [Theory]
    [InlineData("gsm8k/train.jsonl", "answer")]
    [InlineData("math/train.jsonl", "solution")]
    public void Reference_solutions_are_correct_by_their_own_answers(string file, string field)
    {
        string path = SharedData.File(file);
        Dictionary<int, string> solutions = File.ReadLines(path)
            .Select((line, i) => (Line: i + 1, Text: JsonDocument.Parse(line).RootElement.GetProperty(field).GetString()!))
            .ToDictionary(row => row.Line, row => row.Text);
        var settings = new DataSettings(path, DataPreset.Auto, new DataFields("", "", "", "", ""), "", 0, new ArithmeticSettings([1], [1], 1, 1, 1));
        ProblemFileResult result = ProblemFile.Read(path, settings);
        var skipped = result.Skipped.Select(row => row.Line).ToHashSet();
        string[] texts = [.. solutions.Where(row => !skipped.Contains(row.Key)).Select(row => row.Value)];

        var failed = result.Problems.Zip(texts, (problem, text) => (problem, Verifier.Judge(text, FinishReason.Stopped, problem)))
            .Where(pair => pair.Item2.Verdict != Verdict.Correct).ToList();
        output.WriteLine($"{file}: {texts.Length - failed.Count} of {texts.Length} correct");
        failed.ForEach(pair => output.WriteLine($"{pair.problem.Id}: {pair.Item2.Verdict}, {pair.Item2.Reason}"));
        Assert.InRange(failed.Count, 0, texts.Length / 100);
    }

    private static (Verdict Verdict, bool Format) Of(Judgement judgement) => (judgement.Verdict, judgement.Format);

    private static Problem Expecting(string answer) => new(new ProblemId("p"), "?", answer, null, "");
}
