using Ghpo.Inspection;
using Ghpo.Node.Commands;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary>What a user may get wrong, through the command line: one message, exit code 2, and nothing left behind.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("", "holds no records")]
    [InlineData("{\"problem\": \"A\", \"answer\": \"1\"}\n{\"problem\": \n", "line 2: not valid JSON")]
    [InlineData("{\"problem\": \"A\", \"answer\": \"1\"}\n{\"answer\": \"2\"}\n", "line 2: field 'problem' is missing")]
    [InlineData("{\"problem\": \"A\", \"answer\": \"\"}\n", "none of the 1 records has a problem and an answer")]
    [InlineData("{\"problem\": \"0123456789\", \"answer\": \"1\"}\n", "Problem data/1 has 12 prompt tokens without a hint, more than ghpo.prompt.max-tokens = 8")]
    public async Task A_data_file_that_cannot_be_used_is_named_with_the_place(string text, string expected)
    {
        string file = _tiny.Write("data.jsonl", text);
        string message = await Refusal("--data", file, "--set", "prompt.max-tokens=8");
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.True(message.Contains(file, StringComparison.Ordinal) || message.Contains("data/1", StringComparison.Ordinal), message);
    }

    [Fact]
    public async Task A_data_file_that_is_missing_is_named()
    {
        string file = Path.Combine(_tiny.Root, "none.jsonl");
        Assert.Equal($"Data file {file} does not exist.", await Refusal("--data", file));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("model.safetensors")]
    public async Task A_file_missing_from_the_model_folder_is_named(string file)
    {
        string path = Path.Combine(_tiny.Model, file);
        File.Delete(path);
        Assert.Contains($"{path} is missing", await Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tensor_of_the_wrong_shape_is_named_with_both_shapes()
    {
        string config = Path.Combine(_tiny.Model, "config.json");
        await File.WriteAllTextAsync(
            config,
            (await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken)).Replace("\"intermediate_size\": 24", "\"intermediate_size\": 32", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        Assert.Contains("has shape [24, 16], config.json asks for [32, 16]", await Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_with_too_few_positions_is_refused() =>
        Assert.Contains("max_position_embeddings is 2048", await Refusal("--set", "prompt.max-tokens=2048"), StringComparison.Ordinal);

    [Fact]
    public async Task A_run_name_that_exists_is_refused_and_that_run_is_left_as_it_is()
    {
        string kept = Path.Combine(Directory.CreateDirectory(Path.Combine(_tiny.Runs, "tiny")).FullName, "kept");
        await File.WriteAllTextAsync(kept, "1", TestContext.Current.CancellationToken);
        (int exitCode, _, string error) = await _tiny.Train();
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains("exists", error, StringComparison.Ordinal);
        Assert.Equal([kept], Directory.GetFileSystemEntries(Path.Combine(_tiny.Runs, "tiny")));
    }

    [Fact]
    public async Task A_run_folder_that_cannot_be_written_names_the_way_out()
    {
        // Below a file there can be no folder, whoever asks.
        string file = _tiny.Write("file", "");
        Assert.Contains("choose another place with --set ghpo.run.folder=FOLDER", await Refusal("--set", $"run.folder={file}/runs"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_file_with_an_unknown_key_is_named_with_line_and_nearest_key()
    {
        string file = _tiny.Write("my.conf", "ghpo {\n  learning { rat = 1 }\n}\n");
        Assert.Equal($"{file}:2: unknown key ghpo.learning.rat; did you mean ghpo.learning.rate?", await Refusal("--config", file));
    }

    [Fact]
    public async Task Problems_without_a_solution_get_no_guidance_and_the_step_counts_them()
    {
        string file = _tiny.Write("data.jsonl", string.Concat(Enumerable.Range(0, 4).Select(i => $"{{\"problem\": \"What is {i}?\", \"answer\": \"9999{i}\"}}\n")));
        (int exitCode, string output, string error) = await _tiny.Train("--data", file);
        Assert.Equal((ExitCodes.Success, ""), (exitCode, error));
        Assert.Contains("no solution: 100 %", output, StringComparison.Ordinal);
        StepReport step = Assert.Single(MetricsFiles.ReadSteps(RunFolder.Open(Path.Combine(_tiny.Runs, "tiny"))));
        Assert.Equal((4, 0, 0L), (step.NoSolution, step.Unsolved, step.ExtraTokens));
    }

    /// <returns>The message, which is one line; nothing is left behind.</returns>
    private async Task<string> Refusal(params string[] own)
    {
        string[] before = Directory.GetFileSystemEntries(_tiny.Root);
        (int exitCode, string output, string error) = await _tiny.Train(own);
        Assert.Equal((ExitCodes.UserError, ""), (exitCode, output));
        Assert.Equal(
            before.Order(), Directory.GetFileSystemEntries(_tiny.Root).Where(path => path != _tiny.Runs || Directory.GetFileSystemEntries(path).Length > 0).Order());
        return Assert.Single(error.TrimEnd().Split('\n'));
    }
}
