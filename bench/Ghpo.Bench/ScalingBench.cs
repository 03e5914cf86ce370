using System.Diagnostics;
using System.Globalization;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Models.Simd;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// What a trained token costs on <see cref="BenchModel"/>, forward, backward and the step's AdamW: for 1 to 64 sequences of 256 tokens, and for sequences of 64 to 2,048 tokens, 4,096 tokens in all.
/// Micro-batches hold 4,096 tokens.
/// <code>ghpo-bench scaling [--threads N] [--runs N] [--dtype float32|bfloat16]</code>
/// Expected is the count of operations: 6·P + 6·H·D·T·layers a token of a sequence of T, as a ratio to that at 256.
/// </summary>
public static class ScalingBench
{
    private const int Budget = 4096;

    public static int Run(string[] args)
    {
        var options = new Arguments("scaling", args, "--threads", "--runs", "--dtype");
        int threads = options.Number("--threads", 2);
        int runs = options.Number("--runs", 3);
        ScalarType dtype = options.Text("--dtype") == "bfloat16" ? ScalarType.BFloat16 : ScalarType.Float32;
        TorchThreads.UseOnThisThread(threads);
        using var crew = new Crew(threads);
        using var decoder = new Decoder(BenchModel.Config, CPU, dtype) { Crew = crew };
        decoder.Initialise(1);
        (string Name, Parameter Parameter)[] named = [.. decoder.named_parameters()];
        using var optimizer = new AdamWOptimizer(named, 0.9, 0.999, 1e-8, 0.01) { Crew = crew };
        (int Sequences, int Length)[] cases = [(1, 256), (4, 256), (16, 256), (64, 256), (64, 64), (16, 256), (8, 512), (4, 1024), (2, 2048)];
        Dictionary<(int, int), List<double>> seconds = cases.Distinct().ToDictionary(shape => shape, _ => new List<double>());
        _ = Step(decoder, optimizer, sequences: 4, length: 256);
        for (int run = 0; run < runs; run++)
        {
            foreach ((int sequences, int length) in seconds.Keys)
            {
                seconds[(sequences, length)].Add(Step(decoder, optimizer, sequences, length));
            }
        }

        Console.WriteLine($"{dtype}, {threads} threads, median of {runs} with spread");
        Console.WriteLine("sequences  length  us a token (spread)        of that at 16 x 256  expected by operations");
        double unit = Median(seconds[(16, 256)]) / (16 * 256);
        foreach ((int sequences, int length) in cases)
        {
            List<double> measured = seconds[(sequences, length)];
            double tokens = sequences * length;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{sequences,9}  {length,6}  {Median(measured) / tokens * 1e6,7:0.0} ({measured.Min() / tokens * 1e6:0.0} to {measured.Max() / tokens * 1e6:0.0})  {Median(measured) / tokens / unit,19:0.00}  {Operations(length) / Operations(256),22:0.00}"));
        }

        return 0;
    }

    private static double Step(Decoder decoder, AdamWOptimizer optimizer, int sequences, int length)
    {
        long started = Stopwatch.GetTimestamp();
        decoder.zero_grad();
        foreach (int[] part in MicroBatches.Pack([.. Enumerable.Repeat(length, sequences)], Budget))
        {
            using DisposeScope scope = NewDisposeScope();
            TokenSequence[] rows = [.. part.Select(row => new TokenSequence(
                [row], [.. Enumerable.Range(0, length - 1).Select(i => (row * 31 + i * 7) % BenchModel.Config.VocabularySize)]))];
            TokenLogProbs.Of(decoder, TokenBatch.Of(rows, CPU), temperature: 1).LogProbs.mean().neg().backward();
        }

        optimizer.Step(1e-4);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Of a token.</summary>
    private static double Operations(int length)
    {
        ModelConfig config = BenchModel.Config;
        long parameters = ParameterShapes.Of(config).Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size));
        return 6.0 * parameters + 6.0 * config.Heads * config.HeadSize * length * config.Layers;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
