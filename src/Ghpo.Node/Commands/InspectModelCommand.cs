using System.CommandLine;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Problems;
using Spectre.Console;
using static TorchSharp.torch;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo inspect-model</c>: what a model folder holds and what training it would take.</summary>
internal static class InspectModelCommand
{
    public static Command Build()
    {
        var model = new Argument<string>("MODEL") { Description = "Model folder in Hugging Face layout." };
        var rank = new Option<int>("--lora-rank") { Description = "Rank r of the adapters in the estimate for LoRA.", DefaultValueFactory = _ => 16 };
        var all = new Option<bool>("--tensors") { Description = "List every tensor, not each kind of them once." };
        var settings = new SettingOptions();
        var command = new Command("inspect-model", "Shows shapes, types and parameters of a model folder, and the memory that training it takes.") { model, rank, all };
        settings.AddTo(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(rank) < 1)
            {
                throw new UserErrorException($"--lora-rank {parsed.GetValue(rank)}: must be at least 1");
            }

            string folder = ModelFolder.Resolve(parsed.GetRequiredValue(model));
            Print(Terminal.For(parsed.InvocationConfiguration.Output), folder, ModelInspection.Read(folder), settings.Resolve(parsed), parsed.GetValue(rank), parsed.GetValue(all));
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Print(IAnsiConsole console, string folder, ModelInspection model, GhpoSettings settings, int rank, bool all)
    {
        ModelConfig config = model.Config;
        console.WriteLine($"{folder}: {config.Type}, {Count(model.Parameters)} parameters, {Size(model.Bytes)} stored");
        console.WriteLine(
            $"{config.Layers} layers, width {config.HiddenSize}, {config.Heads} query and {config.KeyValueHeads} key heads of {config.HeadSize}, feed-forward {config.IntermediateSize}, " +
            $"context {config.MaxPositions}, RoPE base {config.RopeTheta.ToString(CultureInfo.InvariantCulture)}{(config.RopeScaling is { } scaling ? $" (llama3, factor {scaling.Factor.ToString(CultureInfo.InvariantCulture)})" : "")}, " +
            $"{(config.TiedEmbeddings ? "tied" : "untied")} head");
        console.WriteLine($"vocabulary {config.VocabularySize}, of which the tokenizer has {model.TokenizerSize}; stop tokens {string.Join(", ", model.Generation.StopTokens)}; template {Template(folder)}");
        console.Write(Tensors(model, all));

        ScalarType dtype = settings.Model.Dtype.Scalar();
        (long weights, long gradients, long moments) = model.FullTraining(dtype);
        long adapters = model.AdapterParameters(rank);
        int width = dtype == ScalarType.BFloat16 ? 2 : 4;
        int copies = settings.Rollout.Workers + settings.Rollout.Staleness + 2 + (settings.Learning.KlBeta > 0 ? 1 : 0);
        Table memory = new Table().Title($"memory to train with the current settings (model.dtype = {settings.Model.Dtype.ToString().ToLowerInvariant()})")
            .AddColumns("", "trained parameters", "weights", "gradients", "AdamW moments", "sum");
        memory.AddRow("all weights", Count(model.Parameters), Size(weights), Size(gradients), Size(moments), Size(weights + gradients + moments));
        memory.AddRow(
            $"LoRA, r = {rank}, every linear layer", Count(adapters), Size(weights + adapters * width), Size(adapters * width), Size(adapters * 8), Size(weights + adapters * (2 * width + 8)));
        console.Write(Right(memory));
        console.WriteLine($"In the same process besides: {copies} copies of the weights ({Size(copies * weights)}: engines of {settings.Rollout.Workers} workers, {settings.Rollout.Staleness + 2} published versions{(settings.Learning.KlBeta > 0 ? ", the KL reference" : "")}).");
        console.WriteLine("Not included: activations and logits of a micro-batch (learning.micro-batch-tokens), keys and values of the engines (rollout.slots), the runtime itself.");
    }

    private static Table Tensors(ModelInspection model, bool all)
    {
        Table table = new Table().AddColumns("tensor", "shape", "type", "count", "parameters");
        IEnumerable<IGrouping<string, StoredTensor>> kinds = model.Tensors.GroupBy(
            tensor => all ? tensor.Name : System.Text.RegularExpressions.Regex.Replace(tensor.Name, @"\.layers\.\d+\.", ".layers.*.") + $" {string.Join(" × ", tensor.Shape)} {tensor.Dtype}");
        foreach (IGrouping<string, StoredTensor> kind in kinds)
        {
            StoredTensor first = kind.First();
            table.AddRow(Markup.Escape(kind.Key.Split(' ')[0]), string.Join(" × ", first.Shape), first.Dtype, Count(kind.Count()), Count(kind.Sum(tensor => tensor.Elements)));
        }

        return Right(table);
    }

    private static Table Right(Table table)
    {
        for (int column = 1; column < table.Columns.Count; column++)
        {
            table.Columns[column].RightAligned();
        }

        return table;
    }

    private static string Template(string folder)
    {
        try
        {
            return PromptTemplate.Resolve(PromptTemplate.Auto, folder).Name;
        }
        catch (UserErrorException unknown)
        {
            // Only shown: a user may set prompt.template.
            return $"unknown ({unknown.Message})";
        }
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes switch
    {
        >= 1L << 30 => (bytes / (double)(1L << 30)).ToString("0.00 GiB", CultureInfo.InvariantCulture),
        >= 1L << 20 => (bytes / (double)(1L << 20)).ToString("0.0 MiB", CultureInfo.InvariantCulture),
        _ => (bytes / 1024.0).ToString("0.0 KiB", CultureInfo.InvariantCulture),
    };
}
