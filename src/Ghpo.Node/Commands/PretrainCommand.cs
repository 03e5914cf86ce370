using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Node.Pretraining;
using Ghpo.Problems;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo pretrain</c>: makes a base model for the built-in problems.</summary>
internal static class PretrainCommand
{
    private static readonly PretrainOptions Default = new(Out: "");

    public static Command Build()
    {
        var folder = new Option<string>("--out")
        {
            Description = "Folder to write the model to; made if it is missing.",
            HelpName = "FOLDER",
            Required = true,
        };
        Option<long> seed = Number("--seed", "Seed of the initial weights and of the problems.", Default.Seed);
        Option<int> steps = Number("--steps", "Optimizer steps.", Default.Steps);
        Option<int> batch = Number("--batch", "Sequences a step.", Default.Batch);
        Option<int> width = Number("--width", "Width of the residual stream.", Default.Width);
        Option<int> layers = Number("--layers", "Layers.", Default.Layers);
        Option<int> heads = Number("--heads", "Query heads; divides the width.", Default.Heads);
        Option<int> keyValueHeads = Number("--kv-heads", "Key and value heads; divides the query heads.", Default.KeyValueHeads);
        Option<int> feedForward = Number("--feed-forward", "Inner width of the feed-forward block.", Default.FeedForward);
        Option<ModelType> type = Number("--type", "Decoder family.", Default.Type);
        Option<double> rate = Number("--rate", "Peak learning rate.", Default.Rate);
        Option<double> hintedShare = Number("--hinted-share", "Share of the sequences that carry a hint.", Default.HintedShare);
        Option<int> maxOperations = Number("--max-operations", "The most operations of a problem.", Default.MaxOperations);
        Option<double> skill = Number("--skill", "Probability that a multiplication is carried out as one, and not taken for an addition.", Default.Skill);
        Option<string> from = Number("--from", "Model folder to go on from; empty: from scratch.", Default.From);
        Option<int> threads = Number("--threads", "Torch threads.", Default.Threads);
        var command = new Command("pretrain", "Makes a small base model for the built-in problems, from scratch.")
        {
            folder, seed, steps, batch, width, layers, heads, keyValueHeads, feedForward, type, rate, hintedShare, maxOperations, skill, from, threads,
        };
        command.SetAction(parsed =>
        {
            var options = new PretrainOptions(
                parsed.GetRequiredValue(folder), parsed.GetValue(seed), parsed.GetValue(steps), parsed.GetValue(batch), parsed.GetValue(width),
                parsed.GetValue(layers), parsed.GetValue(heads), parsed.GetValue(keyValueHeads), parsed.GetValue(feedForward), parsed.GetValue(type),
                parsed.GetValue(rate), parsed.GetValue(hintedShare), parsed.GetValue(maxOperations), parsed.GetValue(skill),
                parsed.GetValue(from) ?? "", parsed.GetValue(threads));
            Check(options);
            Pretrainer.Run(options, parsed.InvocationConfiguration.Output);
            return ExitCodes.Success;
        });
        return command;
    }

    private static Option<T> Number<T>(string name, string description, T value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    private static void Check(PretrainOptions options)
    {
        foreach ((string name, double value) in new (string, double)[]
        {
            ("--steps", options.Steps), ("--batch", options.Batch), ("--width", options.Width), ("--layers", options.Layers),
            ("--heads", options.Heads), ("--kv-heads", options.KeyValueHeads), ("--feed-forward", options.FeedForward),
            ("--rate", options.Rate), ("--threads", options.Threads),
        })
        {
            if (!(value > 0))
            {
                throw new UserErrorException($"{name} {value}: must be above 0");
            }
        }

        if (options.Width % options.Heads != 0 || options.Width / options.Heads % 2 != 0)
        {
            throw new UserErrorException(
                $"--heads {options.Heads}: must divide --width {options.Width} into heads of an even width (rotary positions turn pairs)");
        }

        if (options.Heads % options.KeyValueHeads != 0)
        {
            throw new UserErrorException($"--kv-heads {options.KeyValueHeads}: must divide --heads {options.Heads}");
        }

        if (options.MaxOperations is < 1 or > ArithmeticProblems.MaxOperations)
        {
            throw new UserErrorException($"--max-operations {options.MaxOperations}: must lie between 1 and {ArithmeticProblems.MaxOperations}");
        }

        foreach ((string name, double value) in new (string, double)[] { ("--hinted-share", options.HintedShare), ("--skill", options.Skill) })
        {
            if (value is not (>= 0 and <= 1))
            {
                throw new UserErrorException($"{name} {value}: must lie between 0 and 1");
            }
        }
    }
}
