using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Rollout;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// Tokens a second of one generation engine at 1, 8, 64 and 256 sequences.
/// <code>ghpo-bench rollout [--model FOLDER] [--threads N] [--dtype float32|bfloat16] [--tokens N] [--runs N] [--busy N]</code>
/// Without a model folder: a random model of width 96, 3 layers, 4/2 heads, feed-forward 256, vocabulary 300. Prompts of 64 tokens,
/// no stop token, so every sequence runs to its full length. --busy N keeps N other processes busy beside it, one thread each.
/// </summary>
public static class RolloutBench
{
    private const int PromptTokens = 64;
    private static readonly int[] SequenceCounts = [1, 8, 64, 256];

    public static int Run(string[] args)
    {
        var options = Options.Parse(args);
        TorchThreads.UseOnThisThread(options.Threads);
        using LoadedModel? loaded = options.Model is null ? null : ModelFolder.Load(ModelFolder.Resolve(options.Model), CPU, options.Dtype);
        ModelConfig config = loaded?.Config ?? RandomModel;
        using Decoder decoder = loaded?.Decoder ?? new Decoder(config, CPU, options.Dtype);
        if (loaded is null)
        {
            decoder.Initialise(1);
        }

        using var policy = new PolicySnapshot(1, new PolicyVersion(0), "", decoder.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.clone().detach_()));
        using var busy = new BusyProcesses(options.Busy);
        Console.WriteLine($"{options.Model ?? "random tiny model"}, {options.Dtype}, {options.Threads} torch thread(s), {PromptTokens} + {options.Tokens} tokens, {options.Busy} busy process(es), {Environment.ProcessorCount} cores");
        Console.WriteLine("sequences  tokens/s median (min to max)  microseconds a step");
        foreach (int sequences in SequenceCounts)
        {
            using var engine = new GenerationEngine(config, CPU, options.Dtype, stopTokens: [], sequences, PromptTokens + options.Tokens);
            engine.LoadPolicy(policy);
            Measure(engine, sequences, options, seed: 0);
            double[] rates = [.. Enumerable.Range(1, options.Runs).Select(run => Measure(engine, sequences, options, (ulong)run)).Order()];
            double median = rates[rates.Length / 2];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{sequences,9}  {median,10:F0} ({rates[0]:F0} to {rates[^1]:F0})  {1e6 * sequences / median,10:F0}"));
        }

        return 0;
    }

    private static ModelConfig RandomModel => new(
        ModelType.Qwen2,
        VocabularySize: 300,
        HiddenSize: 96,
        IntermediateSize: 256,
        Layers: 3,
        Heads: 4,
        KeyValueHeads: 2,
        HeadSize: 24,
        MaxPositions: 4096,
        NormEpsilon: 1e-6,
        RopeTheta: 10000,
        TiedEmbeddings: true,
        AttentionBias: false,
        StopTokens: []);

    /// <summary>Completion tokens a second, prefill included.</summary>
    private static double Measure(GenerationEngine engine, int sequences, Options options, ulong seed)
    {
        const int GroupSize = 8;
        long before = engine.TokensSampled;
        var watch = Stopwatch.StartNew();
        for (int first = 0; first < sequences; first += GroupSize)
        {
            engine.Submit(new GenerationRequest(
                first, [.. Enumerable.Range(first, PromptTokens).Select(token => token % 256)], Math.Min(GroupSize, sequences), seed, new SamplingOptions(1, 0, 1, options.Tokens)));
        }

        while (engine.RunningSequences > 0)
        {
            engine.Step();
        }

        return (engine.TokensSampled - before) / watch.Elapsed.TotalSeconds;
    }

    private sealed record Options(string? Model, int Threads, ScalarType Dtype, int Tokens, int Runs, int Busy)
    {
        internal static Options Parse(string[] args)
        {
            var options = new Options(null, 1, ScalarType.Float32, 200, 5, 0);
            for (int index = 0; index < args.Length; index += 2)
            {
                string value = index + 1 < args.Length ? args[index + 1] : throw new UserErrorException($"{args[index]} needs a value.");
                options = args[index] switch
                {
                    "--model" => options with { Model = value },
                    "--threads" => options with { Threads = Number() },
                    "--tokens" => options with { Tokens = Number() },
                    "--runs" => options with { Runs = Number() },
                    "--busy" => options with { Busy = Number() },
                    "--dtype" => options with { Dtype = Enum.Parse<ComputeType>(value, ignoreCase: true) == ComputeType.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32 },
                    _ => throw new UserErrorException($"{args[index]} is unknown; known are --model, --threads, --dtype, --tokens, --runs and --busy."),
                };

                int Number() => int.Parse(value, CultureInfo.InvariantCulture);
            }

            return options;
        }
    }
}
