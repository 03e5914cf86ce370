using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Models.Simd;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// A training step, forward, backward and AdamW, of 8 sequences of 256 tokens on <see cref="BenchModel"/>, beside PyTorch with OpenBLAS in float32 on the same shape, in turns.
/// <code>ghpo-bench training [--python PYTHON] [--threads N] [--runs N] [--steps N]</code>
/// The share is that of the measured rate of matrix products: 6 operations a parameter and token, and attention's 6·H·D·T a token and layer (causal: half of the full product's).
/// </summary>
public static class TrainingBench
{
    private const int Rows = 8;
    private const int Length = 256;

    public static int Run(string[] args)
    {
        var options = new Arguments("training", args, "--python", "--threads", "--runs", "--steps");
        string? python = options.Text("--python");
        int threads = options.Number("--threads", 2);
        int runs = options.Number("--runs", 3);
        int steps = options.Number("--steps", 3);
        TorchThreads.UseOnThisThread(threads);
        string? attention = null;
        var theirs = new List<double>();
        var ours = new Dictionary<string, List<double>>();
        var rates = new Dictionary<ScalarType, List<double>> { [ScalarType.Float32] = [], [ScalarType.BFloat16] = [] };
        for (int run = 0; run < runs; run++)
        {
            foreach (ScalarType dtype in rates.Keys)
            {
                rates[dtype].Add(MachineRates.MultiplyRate(dtype));
                foreach (bool checkpointing in new[] { false, true })
                {
                    string name = $"{dtype}{(checkpointing ? ", checkpointing" : "")}";
                    ours.TryAdd(name, []);
                    ours[name].AddRange(Steps(dtype, checkpointing, threads, steps));
                }
            }

            if (python is not null)
            {
                attention ??= Better(python, threads);
                theirs.AddRange(Python(python, threads, steps, attention));
            }
        }

        Console.WriteLine(FormattableString.Invariant($"{Rows} x {Length} tokens, {threads} threads, {runs} runs of {steps} steps"));
        foreach ((ScalarType dtype, List<double> measured) in rates)
        {
            Console.WriteLine(FormattableString.Invariant($"matmul {dtype}: {Spread(measured, 0)} GFLOP/s"));
        }

        Console.WriteLine($"PyTorch with OpenBLAS, float32: {(python is null ? "not measured" : Spread(theirs, 3) + " s a step")}");
        foreach ((string name, List<double> seconds) in ours)
        {
            ScalarType dtype = name.StartsWith("BFloat16", StringComparison.Ordinal) ? ScalarType.BFloat16 : ScalarType.Float32;
            double share = Operations() / Median(seconds) / 1e9 / Median(rates[dtype]);
            string ratio = python is null ? "-" : (Median(theirs) / Median(seconds)).ToString("F2", CultureInfo.InvariantCulture);
            Console.WriteLine(FormattableString.Invariant(
                $"{name}: {Spread(seconds, 3)} s a step, {Rows * Length / Median(seconds):F0} tokens/s, ratio {ratio}, share of matmul {share:P0}"));
        }

        return 0;
    }

    private static List<double> Steps(ScalarType dtype, bool checkpointing, int threads, int steps)
    {
        using var crew = new Crew(threads);
        using var decoder = new Decoder(BenchModel.Config, CPU, dtype) { Checkpointing = checkpointing, Crew = crew };
        decoder.Initialise(1);
        (string Name, Parameter Parameter)[] named = [.. decoder.named_parameters()];
        using var optimizer = new AdamWOptimizer(named, 0.9, 0.999, 1e-8, 0.01) { Crew = crew };
        TokenSequence[] sequences =
        [
            .. Enumerable.Range(0, Rows).Select(row => new TokenSequence(
                [row], [.. Enumerable.Range(0, Length - 1).Select(i => (row * 31 + i * 7) % BenchModel.Config.VocabularySize)])),
        ];
        var seconds = new List<double>();
        for (int step = 0; step <= steps; step++)
        {
            using DisposeScope scope = NewDisposeScope();
            long started = Stopwatch.GetTimestamp();
            decoder.zero_grad();
            TokenLogProbs.Of(decoder, TokenBatch.Of(sequences, CPU), temperature: 1).LogProbs.mean().neg().backward();
            optimizer.Step(1e-4);
            if (step > 0)
            {
                seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        }

        return seconds;
    }

    /// <summary>Which of the two ways to write attention is the faster there, by a step of each.</summary>
    private static string Better(string python, int threads)
    {
        double batched = Python(python, threads, 1, "batched")[0];
        double heads = Python(python, threads, 1, "heads")[0];
        Console.WriteLine(FormattableString.Invariant($"PyTorch with OpenBLAS, one step: attention in batches {batched:F2} s, head by head {heads:F2} s; the faster one is compared with"));
        return batched < heads ? "batched" : "heads";
    }

    private static double[] Python(string python, int threads, int steps, string attention)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "oracles", "torch_training.py");
        string[] arguments = [script, threads.ToString(CultureInfo.InvariantCulture), steps.ToString(CultureInfo.InvariantCulture), attention];
        using Process process = Process.Start(new ProcessStartInfo(python, arguments) { RedirectStandardOutput = true })!;
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        return process.ExitCode == 0
            ? [.. lines.Select(line => double.Parse(line, CultureInfo.InvariantCulture))]
            : throw new UserErrorException($"{python} {script} failed with exit code {process.ExitCode}.");
    }

    private static double Operations()
    {
        ModelConfig config = BenchModel.Config;
        double layer = config.HiddenSize * (2.0 * config.Heads + 2 * config.KeyValueHeads) * config.HeadSize + 3.0 * config.HiddenSize * config.IntermediateSize;
        double parameters = config.Layers * layer + config.VocabularySize * config.HiddenSize;

        // Causal attention needs half of 12·H·D·T.
        return Rows * Length * (6 * parameters + 6.0 * config.Heads * config.HeadSize * Length * config.Layers);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Spread(List<double> values, int digits)
    {
        string format = "F" + digits;
        return string.Create(CultureInfo.InvariantCulture, $"{Median(values).ToString(format, CultureInfo.InvariantCulture)} ({values.Min().ToString(format, CultureInfo.InvariantCulture)} to {values.Max().ToString(format, CultureInfo.InvariantCulture)})");
    }
}
