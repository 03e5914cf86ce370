using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Models.Simd;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// A training step, forward, backward and AdamW, of 8 sequences of 256 tokens on <see cref="BenchModel"/>, beside PyTorch with OpenBLAS in float32 on the same shape, in turns: a round is a step of each
/// and a reading of the rate of matrix products. The first step of each is not counted.
/// <code>ghpo-bench training [--python PYTHON] [--threads N] [--rounds N]</code>
/// The share is that of the measured rate of matrix products: 6 operations a parameter and token, and attention's 6·H·D·T a token and layer (causal: half of the full product's).
/// </summary>
public static class TrainingBench
{
    private const int Rows = 8;
    private const int Length = 256;
    private static readonly bool[] _ways = [false, true];

    public static int Run(string[] args)
    {
        var options = new Arguments("training", args, "--python", "--threads", "--rounds");
        string? python = options.Text("--python");
        int threads = options.Number("--threads", 2);
        int rounds = options.Number("--rounds", 5);
        TorchThreads.UseOnThisThread(threads);
        var theirs = new List<double>();
        var rates = new Dictionary<ScalarType, List<double>> { [ScalarType.Float32] = [], [ScalarType.BFloat16] = [] };
        (Learner Learner, List<double> Seconds)[] ours =
        [
            .. from dtype in rates.Keys
               from checkpointing in _ways
               select (new Learner(dtype, checkpointing, threads), new List<double>()),
        ];
        using TorchProcess? torch = python is null ? null : new TorchProcess(python, threads);
        for (int round = 0; round <= rounds; round++)
        {
            foreach ((ScalarType dtype, List<double> measured) in rates)
            {
                measured.Add(MachineRates.MultiplyRate(dtype));
            }

            foreach ((Learner learner, List<double> seconds) in ours)
            {
                Note(seconds, learner.Step(), round);
            }

            if (torch is not null)
            {
                Note(theirs, torch.Step(), round);
            }
        }

        Console.WriteLine(FormattableString.Invariant($"{Rows} x {Length} tokens, {threads} threads, {rounds} rounds"));
        foreach ((ScalarType dtype, List<double> measured) in rates)
        {
            Console.WriteLine(FormattableString.Invariant($"matmul {dtype}: {Spread(measured, 0)} GFLOP/s"));
        }

        Console.WriteLine($"PyTorch with OpenBLAS, float32: {(python is null ? "not measured" : Spread(theirs, 3) + " s a step")}");
        foreach ((Learner learner, List<double> seconds) in ours)
        {
            double share = Operations() / Median(seconds) / 1e9 / Median(rates[learner.Dtype]);
            string ratio = python is null ? "-" : (Median(theirs) / Median(seconds)).ToString("F2", CultureInfo.InvariantCulture);
            Console.WriteLine(FormattableString.Invariant(
                $"{learner.Name}: {Spread(seconds, 3)} s a step, {Rows * Length / Median(seconds):F0} tokens/s, ratio {ratio}, share of matmul {share:P0}"));
            learner.Dispose();
        }

        return 0;
    }

    private static void Note(List<double> measured, double seconds, int round)
    {
        if (round > 0)
        {
            measured.Add(seconds);
        }
    }

    /// <summary>A model in training.</summary>
    private sealed class Learner : IDisposable
    {
        private readonly Crew _crew;
        private readonly Decoder _decoder;
        private readonly AdamWOptimizer _optimizer;
        private readonly TokenSequence[] _sequences;

        internal Learner(ScalarType dtype, bool checkpointing, int threads)
        {
            Dtype = dtype;
            Name = $"{dtype}{(checkpointing ? ", checkpointing" : "")}";
            _crew = new Crew(threads);
            _decoder = new Decoder(BenchModel.Config, CPU, dtype) { Checkpointing = checkpointing, Crew = _crew };
            _decoder.Initialise(1);
            _optimizer = new AdamWOptimizer([.. _decoder.named_parameters()], 0.9, 0.999, 1e-8, 0.01) { Crew = _crew };
            _sequences =
            [
                .. Enumerable.Range(0, Rows).Select(row => new TokenSequence(
                    [row], [.. Enumerable.Range(0, Length - 1).Select(i => (row * 31 + i * 7) % BenchModel.Config.VocabularySize)])),
            ];
        }

        internal ScalarType Dtype { get; }

        internal string Name { get; }

        internal double Step()
        {
            using DisposeScope scope = NewDisposeScope();
            long started = Stopwatch.GetTimestamp();
            _decoder.zero_grad();
            TokenLogProbs.Of(_decoder, TokenBatch.Of(_sequences, CPU), temperature: 1).LogProbs.mean().neg().backward();
            _optimizer.Step(1e-4);
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        public void Dispose()
        {
            _optimizer.Dispose();
            _decoder.Dispose();
            _crew.Dispose();
        }
    }

    /// <summary>PyTorch, which takes a step for each line it is sent.</summary>
    private sealed class TorchProcess : IDisposable
    {
        private readonly Process _process;
        private readonly string _command;

        internal TorchProcess(string python, int threads)
        {
            string script = Path.Combine(AppContext.BaseDirectory, "oracles", "torch_training.py");
            _command = $"{python} {script}";
            _process = Process.Start(new ProcessStartInfo(python, [script, threads.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        }

        internal double Step()
        {
            _process.StandardInput.WriteLine();
            _process.StandardInput.Flush();
            return _process.StandardOutput.ReadLine() is { } line
                ? double.Parse(line, CultureInfo.InvariantCulture)
                : throw new UserErrorException($"{_command} ended without an answer; is python3-torch installed?");
        }

        public void Dispose()
        {
            _process.StandardInput.Close();
            _process.WaitForExit();
            _process.Dispose();
        }
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
