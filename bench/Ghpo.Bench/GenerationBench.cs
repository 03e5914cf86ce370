using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Rollout;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// Tokens a second of a generation engine beside llama.cpp on the same weights, in the same precision, in turns: <see cref="BenchModel"/> with random weights,
/// prompts of 32 tokens in groups of 8, 128 new tokens, no stop token, prefill included.
/// <code>ghpo-bench generation [--llama NODE_MODULES] [--threads N] [--runs N] [--dtype float32|bfloat16] [--sequences 1,8,32,64] [--tokens N]</code>
/// Besides, the roofline: what the weights' bytes and the arithmetic of a step take at the measured rates of copying and multiplying, and the share of that speed reached.
/// </summary>
public static class GenerationBench
{
    private const int PromptTokens = 32;
    private const int GroupSize = 8;
    private static readonly string[] FlashAttention = ["0", "1"];

    public static int Run(string[] args)
    {
        var options = new Arguments("generation", args, "--llama", "--threads", "--runs", "--dtype", "--sequences", "--tokens");
        string? llama = options.Text("--llama");
        int threads = options.Number("--threads", 2);
        int runs = options.Number("--runs", 3);
        int tokens = options.Number("--tokens", 128);
        int[] counts = [.. (options.Text("--sequences") ?? "1,8,32,64").Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        ScalarType[] types = options.Text("--dtype") switch
        {
            null => [ScalarType.Float32, ScalarType.BFloat16],
            "float32" => [ScalarType.Float32],
            "bfloat16" => [ScalarType.BFloat16],
            string other => throw new UserErrorException($"--dtype {other} is unknown; known are float32 and bfloat16."),
        };
        TorchThreads.UseOnThisThread(threads);
        using DisposeScope scope = NewDisposeScope();
        using var decoder = new Decoder(BenchModel.Config, CPU, ScalarType.Float32);
        decoder.Initialise(1);
        foreach (ScalarType dtype in types)
        {
            Dictionary<string, Tensor> weights = decoder.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.detach().to(dtype));
            Compare(weights, dtype, llama, threads, runs, tokens, counts);
        }

        return 0;
    }

    private static void Compare(Dictionary<string, Tensor> weights, ScalarType dtype, string? llama, int threads, int runs, int tokens, int[] counts)
    {
        using var policy = new PolicySnapshot(1, new PolicyVersion(0), "", weights.ToDictionary(entry => entry.Key, entry => entry.Value.alias()));
        string file = Path.Combine(Path.GetTempPath(), $"ghpo-bench-{Environment.ProcessId}-{dtype}.gguf");
        GgufFile.Write(file, BenchModel.Config, weights, dtype);
        double[][] ours = [.. counts.Select(_ => new double[runs])];
        double[][] theirs = [.. counts.Select(_ => new double[runs])];
        string? flash = null;
        double[] multiply = new double[runs];
        double[] read = new double[runs];
        try
        {
            for (int run = 0; run < runs; run++)
            {
                multiply[run] = MachineRates.MultiplyRate(dtype);
                read[run] = MachineRates.ReadRate(threads, weights.Values.Sum(weight => weight.numel() * weight.element_size()));
                for (int i = 0; i < counts.Length; i++)
                {
                    using var engine = new GenerationEngine(BenchModel.Config, CPU, dtype, stopTokens: [], counts[i], PromptTokens + tokens);
                    engine.LoadPolicy(policy);

                    // Once for nothing: a worker takes its cache's memory from the system once, and keeps it.
                    Measure(engine, counts[i], tokens);
                    ours[i][run] = Measure(engine, counts[i], tokens);
                }

                if (llama is not null)
                {
                    // Its two attention kernels are both tried in the first run, with an eighth of the tokens.
                    flash ??= FlashAttention.OrderByDescending(choice => Llama(llama, file, threads, Math.Max(8, tokens / 8), choice, counts).Sum()).First();
                    double[] rates = Llama(llama, file, threads, tokens, flash, counts);
                    for (int i = 0; i < counts.Length; i++)
                    {
                        theirs[i][run] = rates[i];
                    }
                }
            }
        }
        finally
        {
            File.Delete(file);
        }

        double multiplied = Median(multiply);
        double copied = Median(read);
        Console.WriteLine(FormattableString.Invariant(
            $"{dtype}, {threads} threads, {PromptTokens} + {tokens} tokens, {runs} runs; matmul {Spread(multiply)} GFLOP/s, weights read {Spread(read)} GB/s"));
        Console.WriteLine("sequences  ours, tokens/s (min to max)  llama.cpp, tokens/s  ratio  roofline, tokens/s  share");
        for (int i = 0; i < counts.Length; i++)
        {
            double bound = Roofline(weights, counts[i], tokens, multiplied, copied);
            string theirRate = llama is null ? "not measured" : Spread(theirs[i]);
            double ratio = llama is null ? double.NaN : Median(ours[i]) / Median(theirs[i]);
            Console.WriteLine(FormattableString.Invariant(
                $"{counts[i],9}  {Spread(ours[i])}  {theirRate}  {ratio:F2}  {bound:F0}  {Median(ours[i]) / bound:P0}"));
        }
    }

    /// <summary>
    /// Tokens a second if a step took only what is the longer of: reading each weight and each cached number once, and two operations a weight a
    /// sequence plus attention's 4·H·D a cached position and layer, at the measured rates. Prefill is counted for nothing.
    /// </summary>
    private static double Roofline(Dictionary<string, Tensor> weights, int sequences, int tokens, double gigaflops, double gigabytes)
    {
        ModelConfig config = BenchModel.Config;
        double length = PromptTokens + tokens / 2.0;
        double parameters = weights.Values.Sum(weight => (double)weight.numel());
        double size = weights.Values.First().element_size();
        double operations = sequences * (2 * parameters + 4.0 * config.Heads * config.HeadSize * length * config.Layers);
        double bytes = size * (parameters + sequences * 2.0 * config.KeyValueHeads * config.HeadSize * length * config.Layers);
        return sequences / Math.Max(operations / gigaflops / 1e9, bytes / gigabytes / 1e9);
    }

    private static double Measure(GenerationEngine engine, int sequences, int tokens)
    {
        long before = engine.TokensSampled;
        long started = Stopwatch.GetTimestamp();
        for (int first = 0; first < sequences; first += GroupSize)
        {
            engine.Submit(new GenerationRequest(
                first,
                [.. Enumerable.Range(0, PromptTokens).Select(index => (index * 7 + first / GroupSize * 31) % 256)],
                Math.Min(GroupSize, sequences),
                Seed: 1,
                new SamplingOptions(Temperature: 1, TopK: 0, TopP: 1, tokens)));
        }

        while (engine.RunningSequences > 0)
        {
            engine.Step();
        }

        return (engine.TokensSampled - before) / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double[] Llama(string modules, string file, int threads, int tokens, string flash, int[] counts)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "oracles", "llama_generation.mjs");
        string[] numbers = [.. new[] { threads, PromptTokens, tokens }.Select(number => number.ToString(CultureInfo.InvariantCulture))];
        var start = new ProcessStartInfo("node", [script, modules, file, .. numbers, flash, .. counts.Select(count => count.ToString(CultureInfo.InvariantCulture))])
        {
            RedirectStandardOutput = true,
        };
        using Process node = Process.Start(start)!;
        string output = node.StandardOutput.ReadToEnd();
        node.WaitForExit();
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return node.ExitCode == 0 && lines.Length == counts.Length
            ? [.. lines.Select(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture))]
            : throw new UserErrorException($"node {script} failed with exit code {node.ExitCode}: {output}");
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private static string Spread(double[] values) => FormattableString.Invariant($"{Median(values):F0} ({values.Min():F0} to {values.Max():F0})");
}
