using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Node.Evaluating;
using Ghpo.Problems;
using Ghpo.Rollout;

namespace Ghpo.Node.Commands;

/// <summary>What <c>ghpo generate</c> and <c>ghpo eval</c> both ask: a model, its prompt template, and how to sample.</summary>
internal sealed class ModelOptions
{
    private readonly Argument<string> _model = new("MODEL") { Description = "Model folder in Hugging Face layout." };
    private readonly Option<string> _system = Text("--system", "System message; empty: none, or the template's own.", "");
    private readonly Option<string> _template = Text("--template", "auto, the name of a built-in prompt template, or a file (docs/models.md).", PromptTemplate.Auto);
    private readonly Option<double?> _temperature = new("--temperature") { Description = "Sampling temperature; 0 takes the most likely token. Default: generation_config.json's, else 1." };
    private readonly Option<int?> _topK = new("--top-k") { Description = "Sample from the k most likely tokens; 0: all. Default: generation_config.json's, else 0." };
    private readonly Option<double?> _topP = new("--top-p") { Description = "Sample from the most likely tokens of this share; 1: all. Default: generation_config.json's, else 1." };
    private readonly Option<int?> _maxNewTokens = new("--max-new-tokens") { Description = "Longest answer in tokens. Default: 1024, or what the model's context leaves." };
    private readonly Option<long> _seed = new("--seed") { Description = "Seed of the sampling.", DefaultValueFactory = _ => 0 };
    private readonly Option<string> _device = Text("--device", "cpu, cuda or cuda:N.", "cpu");
    private readonly Option<ComputeType> _dtype = new("--dtype") { Description = "Type of the computation.", DefaultValueFactory = _ => ComputeType.Float32 };
    private readonly Option<int?> _threads = new("--threads") { Description = "Torch threads. Default: one a processor." };

    public void AddTo(Command command)
    {
        command.Add(_model);
        foreach (Option option in new Option[] { _system, _template, _temperature, _topK, _topP, _maxNewTokens, _seed, _device, _dtype, _threads })
        {
            command.Add(option);
        }
    }

    public string Path(ParseResult parsed) => parsed.GetRequiredValue(_model);

    public string System(ParseResult parsed) => parsed.GetValue(_system)!;

    public string Template(ParseResult parsed) => parsed.GetValue(_template)!;

    public long Seed(ParseResult parsed) => parsed.GetValue(_seed);

    /// <exception cref="UserErrorException">The folder is no model that can be loaded.</exception>
    public SamplingModel Load(ParseResult parsed)
    {
        int threads = parsed.GetValue(_threads) ?? Environment.ProcessorCount;
        return threads is >= 1 and <= 1024
            ? new SamplingModel(Path(parsed), parsed.GetValue(_device)!, parsed.GetValue(_dtype), threads)
            : throw new UserErrorException($"--threads {threads}: must lie between 1 and 1024");
    }

    /// <param name="longestPrompt">Tokens.</param>
    /// <exception cref="UserErrorException">A number is out of range, or the prompt leaves no room for an answer.</exception>
    public SamplingOptions Sampling(ParseResult parsed, SamplingModel model, int longestPrompt)
    {
        int room = model.Config.MaxPositions - longestPrompt;
        if (room < 1)
        {
            throw new UserErrorException($"The prompt has {longestPrompt} tokens; the model's max_position_embeddings, {model.Config.MaxPositions}, leaves no room for an answer. Shorten the prompt.");
        }

        const int Usual = 1024;
        var options = new SamplingOptions(
            parsed.GetValue(_temperature) ?? model.Generation.Temperature ?? 1,
            parsed.GetValue(_topK) ?? model.Generation.TopK ?? 0,
            parsed.GetValue(_topP) ?? model.Generation.TopP ?? 1,
            parsed.GetValue(_maxNewTokens) ?? Math.Min(Usual, room));
        return (options.Temperature is >= 0 and <= 100, options.TopK >= 0, options.TopP is > 0 and <= 1, options.MaxNewTokens >= 1 && options.MaxNewTokens <= room) switch
        {
            (false, _, _, _) => throw new UserErrorException($"--temperature {options.Temperature}: must lie between 0 and 100"),
            (_, false, _, _) => throw new UserErrorException($"--top-k {options.TopK}: must be 0 or more"),
            (_, _, false, _) => throw new UserErrorException($"--top-p {options.TopP}: must be above 0 and at most 1"),
            (_, _, _, false) => throw new UserErrorException(
                $"--max-new-tokens {options.MaxNewTokens}: must lie between 1 and {room}; the prompt has {longestPrompt} of the {model.Config.MaxPositions} tokens of the model's context"),
            _ => options,
        };
    }

    private static Option<string> Text(string name, string description, string value) => new(name) { Description = description, DefaultValueFactory = _ => value };
}
