using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Node.Evaluating;
using Ghpo.Node.Runs;
using Ghpo.Rollout;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo generate</c>: one answer of a model, written as it comes.</summary>
internal static class GenerateCommand
{
    public static Command Build()
    {
        var options = new ModelOptions();
        var prompt = new Option<string>("--prompt") { Description = "What the model is asked.", Required = true };
        var raw = new Option<bool>("--raw") { Description = "Go on from the prompt as it stands, special tokens in it included, without a chat template." };
        var command = new Command("generate", "Writes a model's answer to a prompt, token by token.") { prompt, raw };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            string text = parsed.GetRequiredValue(prompt);
            if (text.Length == 0)
            {
                throw new UserErrorException("--prompt is empty; give the model something to answer.");
            }

            using SamplingModel model = options.Load(parsed);
            IReadOnlyList<int> tokens = parsed.GetValue(raw)
                ? [.. Begin(model.Tokenizer, text), .. model.Tokenizer.EncodeTemplate(text)]
                : model.Template(options.Template(parsed)).Render(model.Tokenizer, options.System(parsed), text, "", "");
            SamplingOptions sampling = options.Sampling(parsed, model, tokens.Count);
            return Write(model, new GenerationRequest("the prompt", [.. tokens], Answers: 1, (ulong)options.Seed(parsed), sampling), parsed.InvocationConfiguration);
        });
        return command;
    }

    /// <summary>What the tokenizer puts before a text, unless the user has written it.</summary>
    private static IEnumerable<int> Begin(ModelTokenizer tokenizer, string text) =>
        tokenizer.EncodeTemplate(text).Take(tokenizer.BeginTokens.Length).SequenceEqual(tokenizer.BeginTokens) ? [] : tokenizer.BeginTokens;

    private static int Write(SamplingModel model, GenerationRequest request, InvocationConfiguration to)
    {
        var text = new StreamedText(model.Tokenizer, to.Output);
        using IGenerationEngine engine = model.Engine(slots: 1, request.Prompt.Length + request.Sampling.MaxNewTokens);
        using var interruption = new Interruption(_ => { }, () => Interruption.ExitNow(ExitCodes.Interrupted));
        engine.Submit(request with { OnToken = (_, token) => text.Add(token) });
        GenerationResult? result = null;
        while (engine.RunningSequences > 0 && !interruption.Asked)
        {
            result = engine.Step() is [var finished] ? finished : null;
        }

        text.End();
        if (result is null)
        {
            return ExitCodes.Interrupted;
        }

        if (result.Completions[0].Finish == FinishReason.Length)
        {
            to.Error.WriteLine($"The answer was cut at {request.Sampling.MaxNewTokens} tokens (--max-new-tokens).");
        }

        return ExitCodes.Success;
    }
}
