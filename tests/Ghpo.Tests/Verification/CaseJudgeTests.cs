using System.Text.Json;
using Ghpo.Tests.Problems;
using Ghpo.Verification;
using Ghpo.Verification.Cases;
using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Extraction;
using Xunit;

namespace Ghpo.Tests.Verification;

public sealed class CaseJudgeTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("answer", "1/2", "0.5", Verdict.Correct)]
    [InlineData("latex", "$x \\le 2$", "Thus $x <= 2$ is it.", Verdict.Correct)]
    [InlineData("latex", "$9$", "the answer would be 9", Verdict.Malformed)]
    [InlineData("expr", "1000.99", "the number is not 10 but 1,000.99€", Verdict.Correct)]
    [InlineData("expr", "2", "AZYUK2A", Verdict.Malformed)]
    [InlineData("latex+expr", "$12$", "$d = 90/n$, so there are 12 of them", Verdict.Correct)]
    [InlineData("string", "A", "The answer is (A).", Verdict.Correct)]
    [InlineData("string", "A", "Maybe (A), maybe (B).", Verdict.Malformed)]
    [InlineData("string", "B", "B. Because A is not valid", Verdict.Correct)]
    [InlineData("response", "19", "So in total there are 19 points.", Verdict.Correct)]
    [InlineData("response", "8", "The result is $2^3$.", Verdict.Correct)]
    [InlineData("response-strict", "19", "So in total there are 19 points.", Verdict.Malformed)]
    [InlineData("response-strict", "19", "So in total there are \\boxed{19} points.", Verdict.Correct)]
    [InlineData("response-strict", "19", "<think>\\boxed{19}", Verdict.Malformed)]
    [InlineData("response-strict", "42", "The answer is not 42", Verdict.Malformed)]
    [InlineData("response-strict", "42", "The answer is more than 42", Verdict.Malformed)]
    [InlineData("response-strict", "42", "**Answer:** 42 apples", Verdict.Correct)]
    [InlineData("response-strict", "42", "Final Answer: The final answer is $42$. I hope it is correct.", Verdict.Correct)]
    [InlineData("response-strict", "42", "\\boxed{41}\n\nThis is my final answer.", Verdict.Wrong)]
    [InlineData("response-strict", "1, 2", "either $\\boxed{1}$ or $\\boxed{2}$", Verdict.Correct)]
    [InlineData("response-strict", "2", "Not \\boxed{1}. It must be that the second one holds: \\boxed{2}", Verdict.Correct)]
    public void Each_mode_takes_the_sides_as_it_says(string mode, string gold, string pred, Verdict verdict)
    {
        string line = JsonSerializer.Serialize(new { gold, pred, mode });
        (Verdict found, string reason) = CaseJudge.Judge(VerifierCase.Parse(line));
        Assert.True(found == verdict, $"{found}: {reason}");
    }

    [Fact]
    public void Options_and_generated_sides_are_honoured()
    {
        Assert.Equal(Verdict.Correct, Judge("""{"gold":"1/3","pred":"0.3333","opts":{"precision":4}}"""));
        Assert.Equal(Verdict.Wrong, Judge("""{"gold":"1/3","pred":"0.3333"}"""));
        Assert.Equal(Verdict.Correct, Judge("""{"gold":"x+1","pred":"y+1","opts":{"strict":false}}"""));
        Assert.Equal(Verdict.Wrong, Judge("""{"gold":"x+1","pred":"y+1"}"""));
        Assert.Equal(Verdict.Correct, Judge("""{"gold":"[-2,7]","pred":"-2 \\le x \\le 7","opts":{"allow_set_relation_comp":true}}"""));
        VerifierCase generated = VerifierCase.Parse("""{"id":"g","gold":"5","pred_gen":[["(",3],["5",1],[")",3]],"expect":true,"max_ms":50,"class":"huge"}""");
        Assert.Equal(("g", "(((5)))", true, 50.0, "huge"), (generated.Id, generated.Candidate, generated.Expect!.Value, generated.MaxMilliseconds!.Value, generated.Class));
        Assert.Equal(Verdict.Correct, CaseJudge.Judge(generated).Verdict);
    }

    [Theory]
    [InlineData("nonsense", "is not JSON")]
    [InlineData("[]", "must be a JSON object")]
    [InlineData("""{"gold":"5"}""", "has no text 'pred'")]
    [InlineData("""{"gold":"5","pred":"5","mode":"x"}""", "unknown mode 'x'")]
    [InlineData("""{"gold":"5","pred":"5","opts":{"precisoin":3}}""", "opts.precisoin")]
    public void A_record_that_is_none_is_named(string line, string problem) =>
        Assert.Contains(problem, Assert.Throws<FormatException>(() => VerifierCase.Parse(line)).Message, StringComparison.Ordinal);

    [Fact]
    public void Answers_are_found_where_they_are_stated_and_nowhere_else()
    {
        string[] wrong =
        [
            .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Verification", "extraction.jsonl")).Select(VerifierCase.Parse)
                .Where(item => CaseJudge.Judge(item).Verdict == Verdict.Correct != item.Expect).Select(item => $"{item.Gold} | {item.Candidate}: {CaseJudge.Judge(item)}"),
        ];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void The_shared_cases_are_judged_as_they_should_be()
    {
        VerifierCase[] cases = [.. File.ReadLines(SharedData.File("verifier/dev.jsonl")).Select(VerifierCase.Parse)];
        var accepted = cases.Where(item => CaseJudge.Judge(item).Verdict == Verdict.Correct).ToHashSet();
        VerifierCase[] missed = [.. cases.Where(item => item.Expect is true && !accepted.Contains(item))];
        VerifierCase[] wrong = [.. cases.Where(item => item.Expect is false && accepted.Contains(item))];
        Array.ForEach(missed, item => output.WriteLine($"missed {item.Id} {item.Gold} | {item.Candidate}"));
        Array.ForEach(wrong, item => output.WriteLine($"wrongly accepted {item.Id} {item.Gold} | {item.Candidate}"));
        Assert.Empty(wrong);
        Assert.InRange(missed.Length, 0, cases.Length / 50);
    }

    [Fact]
    public void Every_answer_of_MATH_equals_itself_and_is_found_in_its_own_solution()
    {
        int found = 0;
        var answers = new List<string>();
        foreach (string line in File.ReadLines(SharedData.File("math/test.jsonl")).Concat(File.ReadLines(SharedData.File("math/train.jsonl"))))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            string gold = document.RootElement.GetProperty("answer").GetString()!;
            if (gold.Length == 0)
            {
                continue;
            }

            answers.Add(gold);
            Assert.True(AnswerComparer.Compare(gold, gold) == AnswerMatch.Equal, gold);
            string? extracted = AnswerExtractor.Find(document.RootElement.GetProperty("solution").GetString()!, AnswerMarker.Any)?.Text;
            found += extracted is not null && AnswerComparer.Compare(gold, extracted) == AnswerMatch.Equal ? 1 : 0;
        }

        Assert.InRange(found, answers.Count * 0.995, answers.Count);
    }

    private static Verdict Judge(string line) => CaseJudge.Judge(VerifierCase.Parse(line)).Verdict;
}
