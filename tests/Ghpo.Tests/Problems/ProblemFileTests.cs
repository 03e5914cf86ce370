using Ghpo.Configuration;
using Ghpo.Problems;
using Parquet.Serialization;
using Xunit;

namespace Ghpo.Tests.Problems;

public sealed class ProblemFileTests : IDisposable
{
    private static readonly DataSettings Settings = new(
        "arithmetic", DataPreset.Auto, new DataFields("", "problem", "solution", "answer", ""), "", 0,
        new ArithmeticSettings([1], [1], 10, 10, 1));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Gsm8k_gives_trace_and_answer_apart_and_without_calculator_marks()
    {
        Problem problem = One("g.jsonl", """{"question": "How many?", "answer": "48/2 = <<48/2=24>>24 clips.\nIn all $<<24+1=25>>25.\n#### 1,025"}""");

        Assert.Equal("How many?", problem.Text);
        Assert.Equal("48/2 = 24 clips.\nIn all $25.", problem.Solution);
        Assert.Equal("1,025", problem.Answer);
        Assert.Equal("g/1", problem.Id.Value);
    }

    [Fact]
    public void Math_takes_the_answer_from_the_last_box_where_it_has_no_field_for_it()
    {
        Problem boxed = One("m.jsonl", """{"unique_id": "train/a/0.json", "level": "Level 3", "problem": "P", "solution": "not \\boxed{1} but $\\boxed{\\frac{1}{2}}$"}""");
        Problem given = One("n.jsonl", """{"problem": "P", "solution": "\\boxed{1}", "answer": "2", "level": 5}""");

        Assert.Equal(new Problem(new ProblemId("train/a/0.json"), "P", @"\frac{1}{2}", @"not \boxed{1} but $\boxed{\frac{1}{2}}$", "3"), boxed);
        Assert.Equal(("2", "5"), (given.Answer, given.Level));
    }

    [Fact]
    public void Svamp_joins_body_and_question_and_hints_with_the_equation()
    {
        Problem problem = One("s.json", """[{"ID": "chal-1", "Body": "A pack costs 76 dollars", "Question": "How much?", "Equation": "( 76.0 - 25.0 )", "Answer": 51.0}]""");
        Assert.Equal(new Problem(new ProblemId("chal-1"), "A pack costs 76 dollars. How much?", "51", "( 76.0 - 25.0 )", ""), problem);
    }

    [Fact]
    public void Olympiadbench_joins_its_lists()
    {
        Problem problem = One(
            "o.jsonl", """{"id": 7, "context": "Let n be 2.", "question": "Find all x.", "solution": ["First.", "Second."], "final_answer": ["1", "2"]}""");
        Assert.Equal(new Problem(new ProblemId("7"), "Let n be 2.\nFind all x.", "1, 2", "First.\n\nSecond.", ""), problem);
    }

    [Fact]
    public void Custom_fields_are_read_as_named_and_may_be_absent_by_choice()
    {
        DataSettings settings = Settings with { Preset = DataPreset.Custom, Fields = new DataFields("key", "q", "", "a", "grade") };
        string path = _folder.Write("c.jsonl", """{"key": "k1", "q": "Q", "a": 4, "grade": 9, "solution": "ignored"}""");

        Assert.Equal(new Problem(new ProblemId("k1"), "Q", "4", null, "9"), Assert.Single(ProblemFile.Read(path, settings).Problems));
    }

    [Fact]
    public void A_row_without_an_answer_is_skipped_and_reported()
    {
        string path = _folder.Write("m.jsonl", """
            {"problem": "A", "solution": "s", "answer": ""}
            {"problem": "B", "solution": "s", "answer": "1"}

            {"problem": "", "solution": "s", "answer": "1"}
            {"problem": "C", "solution": null, "answer": "2"}
            {"problem": "D", "solution": "s", "answer": null}
            """);
        ProblemFileResult result = ProblemFile.Read(path, Settings);

        Assert.Equal(["B", "C"], result.Problems.Select(problem => problem.Text));
        Assert.Null(result.Problems[1].Solution);
        Assert.Equal([(1, "no answer"), (4, "no problem text"), (6, "no answer")], result.Skipped.Select(row => (row.Line, row.Reason)));
    }

    [Theory]
    [InlineData("a.jsonl", "{\"problem\": \"A\", \"answer\": \"1\"}\n{\"problem\": ", "line 2: not valid JSON")]
    [InlineData("a.jsonl", "{\"problem\": \"A\", \"answer\": \"1\"}\n{\"problem\": \"B\"} {}", "line 2: text behind the end")]
    [InlineData("a.jsonl", "{\"problem\": \"A\", \"answer\": \"1\"}\n7", "line 2: expected a JSON object, found number")]
    [InlineData("a.json", "[\n{\"problem\": \"A\", \"answer\": \"1\"},\n{\"problem\" \"B\"}]", "line 3: not valid JSON")]
    [InlineData("a.json", "[\n{\"problem\": \"A\", \"answer\": \"1\"},\n\n[1]]", "line 4: expected a JSON object, found array")]
    [InlineData("a.json", "[{\"problem\": \"A\", \"answer\": \"1\"}", "not valid JSON")]
    [InlineData("a.jsonl", "{\"problem\": \"A\", \"answer\": \"1\"}\n{\"answer\": \"2\", \"text\": \"B\"}", "line 2: field 'problem' is missing (preset math); the fields are 'answer', 'text'")]
    [InlineData("a.jsonl", "{\"problem\": \"A\", \"solution\": \"\\\\boxed{1}\"}\n{\"problem\": \"B\"}", "line 2: field 'solution' is missing")]
    [InlineData("a.jsonl", "{\"prompt\": \"A\"}", "no known data set has the fields 'prompt'")]
    [InlineData("a.jsonl", "{\"id\": 1, \"problem\": \"A\", \"answer\": \"1\"}\n{\"id\": 1, \"problem\": \"B\", \"answer\": \"1\"}", "line 2: id '1' is that of line 1")]
    [InlineData("a.jsonl", "{\"problem\": \"\\ud800\", \"answer\": \"1\"}", "line 1: not valid JSON")]
    [InlineData("a.jsonl", "\n \n", "holds no records")]
    [InlineData("a.json", "[]", "holds no records")]
    [InlineData("a.jsonl", "{\"problem\": \"A\", \"answer\": \"\"}", "none of the 1 records has a problem and an answer")]
    [InlineData("a.csv", "x", "a data file ends in .jsonl, .json or .parquet")]
    [InlineData("a.parquet", "not parquet", "cannot be read as a Parquet file")]
    public void A_bad_file_is_an_error_that_names_the_file_and_the_place(string name, string text, string error)
    {
        string path = _folder.Write(name, text);
        var e = Assert.Throws<UserErrorException>(() => ProblemFile.Read(path, Settings));

        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(error, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named_with_its_full_path()
    {
        string path = Path.Combine(_folder.Path, "none", "a.jsonl");
        var e = Assert.Throws<UserErrorException>(() => ProblemFile.Read(path, Settings));
        Assert.Equal($"Data file {path} does not exist.", e.Message);
    }

    [Fact]
    public void A_byte_order_mark_and_windows_line_ends_do_no_harm()
    {
        string path = _folder.Write("b.jsonl", "\uFEFF{\"problem\": \"A\", \"answer\": \"1\"}\r\n\r\n{\"problem\": \"B\", \"answer\": \"2\"}\r\n");
        Assert.Equal(["b/1", "b/3"], ProblemFile.Read(path, Settings).Problems.Select(problem => problem.Id.Value));
    }

    [Fact]
    public async Task Parquet_columns_of_text_numbers_and_lists_are_read()
    {
        string path = Path.Combine(_folder.Path, "o.parquet");
        ParquetRow[] rows =
        [
            new() { question = "Q1", id = 5, final_answer = ["1", "2"], solution = ["S"] },
            new() { question = null, id = 6, final_answer = ["3"], solution = ["S"] },
        ];
        await using (FileStream file = File.Create(path))
        {
            await ParquetSerializer.SerializeAsync(rows, file, cancellationToken: TestContext.Current.CancellationToken);
        }

        ProblemFileResult result = ProblemFile.Read(path, Settings);
        Assert.Equal(new Problem(new ProblemId("5"), "Q1", "1, 2", "S", ""), Assert.Single(result.Problems));
        Assert.Equal((2, "no problem text"), Assert.Single(result.Skipped.Select(row => (row.Line, row.Reason))));
    }

    [Fact]
    public void A_source_limits_training_problems_and_keeps_held_out_ones_out_of_training()
    {
        string train = _folder.Write("train.jsonl", """
            {"id": 1, "problem": "A", "answer": "1"}
            {"id": 2, "problem": "B", "answer": "1"}
            {"id": 3, "problem": "C", "answer": "1"}
            {"id": 4, "problem": "D", "answer": "1"}
            """);
        string test = _folder.Write("test.jsonl", """{"id": 3, "problem": "B", "answer": "1"}""");
        ProblemSet set = ProblemSource.Load(Settings with { Source = train, HeldOut = test, Limit = 2 });

        Assert.Equal("train", set.Name);
        Assert.Equal(["A", "C"], set.Train.Select(problem => problem.Text));
        Assert.Equal(new ProblemId("held-out/3"), Assert.Single(set.HeldOut).Id);
        Assert.Equal("2 is held out", Assert.Single(set.Skipped).Reason);
    }

    [Fact]
    public void The_built_in_source_needs_no_file_and_a_file_without_held_out_has_none()
    {
        Assert.Equal(10, ProblemSource.Load(Settings).HeldOut.Count);
        string train = _folder.Write("train.jsonl", """{"problem": "A", "answer": "1"}""");
        Assert.Empty(ProblemSource.Load(Settings with { Source = train }).HeldOut);
    }

    [Theory]
    [InlineData("gsm8k/train.jsonl", 7473, 0, 7473)]
    [InlineData("gsm8k/test.jsonl", 1319, 0, 1319)]
    [InlineData("math/train.jsonl", 7498, 2, 7498)]
    [InlineData("math/test.jsonl", 5000, 0, 5000)]
    [InlineData("math/math500.jsonl", 500, 0, 500)]
    [InlineData("svamp/SVAMP.json", 1000, 0, 1000)]
    [InlineData("olympiadbench/test.jsonl", 675, 0, 675)]
    [InlineData("competition/aime24.jsonl", 30, 0, 30)]
    [InlineData("competition/amc23.jsonl", 40, 0, 0)]
    public void The_public_data_sets_load_whole(string file, int problems, int skipped, int withSolution)
    {
        ProblemFileResult result = ProblemFile.Read(SharedData.File(file), Settings);

        Assert.Equal((problems, skipped), (result.Problems.Count, result.Skipped.Count));
        Assert.Equal(withSolution, result.Problems.Count(problem => problem.Solution is not null));
    }

    [Fact]
    public void No_solution_of_Gsm8k_keeps_a_calculator_mark_or_its_answer_line()
    {
        foreach (Problem problem in ProblemFile.Read(SharedData.File("gsm8k/train.jsonl"), Settings).Problems)
        {
            Assert.DoesNotContain("<<", problem.Solution!, StringComparison.Ordinal);
            Assert.DoesNotContain("####", problem.Solution!, StringComparison.Ordinal);
        }
    }

    private Problem One(string name, string text) => Assert.Single(ProblemFile.Read(_folder.Write(name, text), Settings).Problems);

    // Parquet.Net writes properties under their own names.
#pragma warning disable IDE1006
    private sealed class ParquetRow
    {
        public string? question { get; set; }

        public int id { get; set; }

        public List<string> final_answer { get; set; } = [];

        public List<string> solution { get; set; } = [];
    }
#pragma warning restore IDE1006
}
