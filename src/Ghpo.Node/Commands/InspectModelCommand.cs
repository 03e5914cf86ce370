using System.CommandLine;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Models.Simd;
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
        var rank = new Option<int>("--lora-rank") { Description = "Rank r of the adapters in the estimate for LoRA where learning.lora.rank is 0.", DefaultValueFactory = _ => 16 };
        var all = new Option<bool>("--tensors") { Description = "List every tensor, not each kind of them once." };
        var measure = new Option<bool>("--measure") { Description = "Take training steps with the current settings and show the memory that they and their tensors took beside the estimate." };
        var settings = new SettingOptions();
        var command = new Command("inspect-model", "Shows shapes, types and parameters of a model folder, and the memory that training it takes.") { model, rank, all, measure };
        settings.AddTo(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(rank) < 1)
            {
                throw new UserErrorException($"--lora-rank {parsed.GetValue(rank)}: must be at least 1");
            }

            string folder = ModelFolder.Resolve(parsed.GetRequiredValue(model));
            IAnsiConsole console = Terminal.For(parsed.InvocationConfiguration.Output);
            ModelInspection inspection = ModelInspection.Read(folder);
            GhpoSettings resolved = settings.Resolve(parsed);
            Print(console, folder, inspection, resolved, parsed.GetValue(rank), parsed.GetValue(all));
            if (parsed.GetValue(measure))
            {
                Measure(console, folder, inspection.Config, resolved);
            }

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
        LearningSettings full = settings.Learning with { Lora = settings.Learning.Lora with { Rank = 0 } };
        LearningSettings lora = settings.Learning.Lora.Rank > 0 ? settings.Learning : settings.Learning with { Lora = settings.Learning.Lora with { Rank = rank } };
        Table memory = new Table().Title($"memory that the learner's tensors take, micro-batches of {Count(settings.Learning.MicroBatchTokens)} tokens, model.dtype = {settings.Model.Dtype.ToString().ToLowerInvariant()}{(settings.Learning.GradientCheckpointing ? ", gradient checkpointing" : "")}")
            .AddColumns("", "trained parameters", "weights", "gradients", "AdamW moments", "master copies", "KL reference", "activations", "passing", "peak");
        AddRow("all weights", full);
        AddRow($"LoRA, r = {lora.Lora.Rank}, {string.Join(" ", lora.Lora.Targets)}", lora);
        console.Write(Right(memory));
        long weights = MemoryEstimate.Of(config, dtype, full, tokens: 0).Weights;
        int copies = settings.Rollout.Workers + settings.Rollout.Staleness + 2;
        console.WriteLine("The process takes more than its tensors: room that the allocator keeps between them, little or much by which one it is. --measure shows both.");
        console.WriteLine($"In the same process besides: {copies} copies of the weights ({Size(copies * weights)}: engines of {settings.Rollout.Workers} workers, {settings.Rollout.Staleness + 2} published versions), keys and values of up to {Size(settings.Rollout.Workers * Cache(config, settings))} (rollout.slots, rollout.cache-bytes), the runtime itself.");

        void AddRow(string name, LearningSettings learning)
        {
            MemoryEstimate estimate = MemoryEstimate.Of(config, dtype, learning, learning.MicroBatchTokens);
            memory.AddRow(
                name, Count(estimate.Trained), Size(estimate.Weights), Size(estimate.Gradients), Size(estimate.Moments), Size(estimate.Masters), Size(estimate.Reference), Size(estimate.Kept),
                Size(estimate.Passing), Size(estimate.Peak));
        }
    }

    /// <summary>What a worker's answers cache at most.</summary>
    private static long Cache(ModelConfig config, GhpoSettings settings) => Math.Min(
        settings.Rollout.CacheBytes,
        settings.Rollout.Slots * PagedCache.BytesOf(config, settings.Model.Dtype == ComputeType.Bfloat16, settings.Prompt.MaxTokens + settings.Rollout.MaxNewTokens));

    private static void Measure(IAnsiConsole console, string folder, ModelConfig config, GhpoSettings settings)
    {
        int length = Math.Min(Math.Min(config.MaxPositions, settings.Prompt.MaxTokens + settings.Rollout.MaxNewTokens), settings.Learning.MicroBatchTokens);
        int rows = settings.Learning.MicroBatchTokens / length;
        long estimate = MemoryEstimate.Of(config, settings.Model.Dtype.Scalar(), settings.Learning, (long)rows * length).Peak;
        MeasuredStep.Growth measured = MeasuredStep.Run(folder, settings, length, rows);
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"measured: two steps of two micro-batches of {rows} x {length} tokens took {Size(measured.Tensors)}, the estimate for them is {Size(estimate)}: {(double)estimate / measured.Tensors:0.00} times what was measured; " +
            $"with this system's allocator as it is the process took {Size(measured.Process)}"));
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
