using System.Text.Json;
using Ghpo.Node.Commands;
using Ghpo.Node.Evaluating;
using Ghpo.Problems;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary><c>ghpo generate</c>, <c>eval</c> and <c>inspect-model</c> on a random model, and the figures of <c>eval</c> by hand.</summary>
public sealed class ModelCommandTests : IDisposable
{
    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task Generate_gives_the_same_answer_for_the_same_seed_and_another_for_another()
    {
        (int exitCode, string first, string error) = await Generate("--prompt", "1+1", "--max-new-tokens", "12", "--seed", "3");
        Assert.Equal((ExitCodes.Success, true), (exitCode, error.Length == 0 || error.Contains("--max-new-tokens", StringComparison.Ordinal)));
        Assert.Equal(first, (await Generate("--prompt", "1+1", "--max-new-tokens", "12", "--seed", "3")).Output);
        Assert.NotEqual(first, (await Generate("--prompt", "1+1", "--max-new-tokens", "12", "--seed", "4")).Output);
    }

    [Fact]
    public async Task Generate_says_when_it_cut_the_answer()
    {
        (int exitCode, _, string error) = await Generate("--raw", "--prompt", "<|problem|>1+1<|solution|>", "--max-new-tokens", "1", "--temperature", "0");
        Assert.Equal(ExitCodes.Success, exitCode);
        Assert.Contains("The answer was cut at 1 tokens", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", null, null, "--prompt is empty")]
    [InlineData("x", "--max-new-tokens", "5000", "--max-new-tokens 5000: must lie between 1 and 2045; the prompt has 3 of the 2048 tokens")]
    [InlineData("x", "--temperature", "-1", "--temperature -1: must lie between 0 and 100")]
    [InlineData("x", "--top-p", "0", "--top-p 0: must be above 0 and at most 1")]
    [InlineData("x", "--template", "chatml", "vocabulary has no <|im_start|>, <|im_end|>, which the chatml template needs")]
    [InlineData("x", "--template", "nothing", "ghpo.prompt.template = nothing is neither")]
    [InlineData("x", "--system", "Think.", "the compact template has no system message")]
    public async Task What_cannot_be_generated_is_one_sentence(string prompt, string? option, string? value, string expected)
    {
        (int exitCode, _, string error) = await Generate(["--prompt", prompt, .. option is null ? Array.Empty<string>() : [option, value!]]);
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_refused_with_both_lengths()
    {
        (int exitCode, _, string error) = await Generate("--prompt", new string('x', 3000));
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains("The prompt has 3002 tokens; the model's max_position_embeddings, 2048, leaves no room", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eval_reports_every_level_in_table_and_JSON()
    {
        string data = _tiny.Write("data.jsonl", """
            {"problem": "1+1", "solution": "\\boxed{2}", "level": "Level 1"}
            {"problem": "1+2", "solution": "\\boxed{3}", "level": "Level 2"}
            {"problem": "1+3", "solution": "\\boxed{4}", "level": "Level 2"}

            """);
        string file = Path.Combine(_tiny.Root, "out.json");
        (int exitCode, string output, string error) = await TinyRun.Run(
            "eval", _tiny.Model, "--data", data, "--preset", "math-500", "--max-new-tokens", "6", "--temperature", "1", "--threads", "1", "--json", file);

        Assert.True(exitCode == ExitCodes.Success, error);
        Assert.Contains("maj@4", output, StringComparison.Ordinal);
        JsonElement report = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).RootElement;
        Assert.Equal(["1", "2", "all"], report.GetProperty("levels").EnumerateArray().Select(level => level.GetProperty("level").GetString()));
        Assert.Equal(3, report.GetProperty("levels")[2].GetProperty("problems").GetInt32());
        Assert.Equal(12, report.GetProperty("verdicts").EnumerateObject().Sum(verdict => verdict.Value.GetInt32()));
        Assert.Contains("3 of 3 problems", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_model_counts_what_the_file_holds()
    {
        (int exitCode, string output, string error) = await TinyRun.Run("inspect-model", _tiny.Model);

        Assert.True(exitCode == ExitCodes.Success, error);
        long parameters = (new FileInfo(Path.Combine(_tiny.Model, "model.safetensors")).Length - 8) / 4;
        Assert.Contains(" parameters, ", output, StringComparison.Ordinal);
        Assert.Contains("model.embed_tokens.weight", output, StringComparison.Ordinal);
        Assert.Contains("template compact", output, StringComparison.Ordinal);
        Assert.Contains("LoRA, r = 16", output, StringComparison.Ordinal);
        Assert.Contains("memory that the learner's tensors take", output, StringComparison.Ordinal);
        string count = output[..output.IndexOf(" parameters", StringComparison.Ordinal)].Split(' ')[^1];
        Assert.InRange(long.Parse(count, System.Globalization.NumberStyles.AllowThousands, System.Globalization.CultureInfo.InvariantCulture), 1, parameters);
    }

    [Fact]
    public async Task An_unknown_benchmark_is_answered_with_the_known_ones() =>
        Assert.Contains("--preset aime25: known are aime24, amc23, math-500, olympiadbench, gsm8k", (await TinyRun.Run("eval", _tiny.Model, "--data", "x.jsonl", "--preset", "aime25")).Error, StringComparison.Ordinal);

    [Fact]
    public void Pass_at_j_is_the_chance_that_one_of_j_drawn_answers_is_correct()
    {
        ProblemScore score = Score("7", "8", "7", "9");

        Assert.Equal(0.5, score.Average, 12);
        Assert.Equal(0.5, score.Pass(1), 12);

        // Of the 6 pairs one has no correct answer, of the triples none.
        Assert.Equal(5.0 / 6, score.Pass(2), 12);
        Assert.Equal(1, score.Pass(3), 12);
        Assert.Equal(0, Score("1", "2").Pass(2), 12);
    }

    [Theory]
    [InlineData("7 8 7", 1)]
    [InlineData("8 7 16/2", 0)]
    [InlineData("7 8", 0.5)]
    [InlineData("7 8 -", 0.5)]
    [InlineData("14/2 7 8 8 8.0", 0)]
    [InlineData("- -", 0)]
    public void The_majority_votes_by_value_and_ties_are_shared(string answers, double expected) =>
        Assert.Equal(expected, Score(answers.Split(' ')).Majority(), 12);

    [Fact]
    public void A_problem_that_cannot_be_judged_is_in_no_figure()
    {
        var unreadable = new ProblemScore(new Problem(new ProblemId("p/2"), "", "?", null, ""), [new JudgedAnswer("1", Verdict.Unverifiable, 5), new JudgedAnswer("1", Verdict.Unverifiable, 5)]);
        var report = EvaluationReport.Of("m", "d", 0, [Score("7", "8"), unreadable]);

        Assert.Equal(1, report.Unjudged);
        Assert.Equal(0.5, Assert.Single(report.Levels).Average.Mean, 12);
    }

    private static ProblemScore Score(params string[] answers) => new(
        new Problem(new ProblemId("p/1"), "", "7", null, ""),
        [.. answers.Select(answer => answer == "-"
            ? new JudgedAnswer(null, Verdict.Malformed, 1)
            : new JudgedAnswer(answer, answer is "7" or "14/2" ? Verdict.Correct : Verdict.Wrong, 1))]);

    private Task<(int ExitCode, string Output, string Error)> Generate(params string[] arguments) => TinyRun.Run(["generate", _tiny.Model, "--threads", "1", .. arguments]);
}
