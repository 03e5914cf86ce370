using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Ghpo.Configuration;
using Ghpo.Verification.Equivalence;

namespace Ghpo.Bench;

/// <summary>
/// Verdicts a second on one core, and the slow tail. A file of problems with a field "answer" gives the references; each is compared with itself in other
/// dress, then with the next one's.
/// </summary>
[MemoryDiagnoser]
public class VerifierBench
{
    private const string DataVariable = "GHPO_BENCH_ANSWERS";
    private const int Pairs = 2_000;

    private (string Gold, string Found)[] _pairs = [];

    internal static int Run(string[] args)
    {
        string path = new Arguments("verifier", args, "--data").Text("--data")
            ?? throw new UserErrorException("verifier --data FILE.jsonl: a file of problems with a field \"answer\".");
        Environment.SetEnvironmentVariable(DataVariable, path);
        BenchmarkRunner.Run<VerifierBench>(DefaultConfig.Instance
            .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(8))
            .WithOptions(ConfigOptions.DisableLogFile));
        Tail(path);
        return 0;
    }

    [GlobalSetup]
    public void Setup() => _pairs = [.. Read(Environment.GetEnvironmentVariable(DataVariable)!).Take(Pairs)];

    [Benchmark(OperationsPerInvoke = Pairs)]
    public int Verdicts()
    {
        int equal = 0;
        foreach ((string gold, string found) in _pairs)
        {
            equal += AnswerComparer.Compare(gold, found) == AnswerMatch.Equal ? 1 : 0;
        }

        return equal;
    }

    /// <summary>The field "answer" of each line of a file that is not empty.</summary>
    internal static IEnumerable<string> Answers(string path) => File.ReadLines(path).Select(Answer).Where(text => text.Length > 0);

    private static string Answer(string line)
    {
        using var problem = JsonDocument.Parse(line);
        return problem.RootElement.GetProperty("answer").GetString()!;
    }

    private static IEnumerable<(string Gold, string Found)> Read(string path)
    {
        string[] answers = [.. Answers(path)];
        return answers.Select((answer, i) => (answer, i % 2 == 0 ? $"$ {answer} $" : answers[(i + 1) % answers.Length]));
    }

    /// <summary>Each pair several times, its best time counted: what else runs on the machine then plays no part in the tail.</summary>
    private static void Tail(string path)
    {
        (string Gold, string Found)[] pairs = [.. Read(path)];
        var best = new double[pairs.Length];
        Array.Fill(best, double.MaxValue);
        for (int round = 0; round < 5; round++)
        {
            for (int i = 0; i < pairs.Length; i++)
            {
                long started = Stopwatch.GetTimestamp();
                AnswerComparer.Compare(pairs[i].Gold, pairs[i].Found);
                best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(started).TotalMicroseconds);
            }
        }

        (double Time, int Index) worst = best.Select((time, i) => (time, i)).Max();
        double mean = best.Average();
        Array.Sort(best);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{pairs.Length} verdicts: mean {mean:F1} µs ({1e6 / mean:F0} a second), p50 {best[best.Length / 2]:F1}, p99 {best[best.Length * 99 / 100]:F1}, p99.9 {best[best.Length * 999L / 1000]:F1}, max {worst.Time:F1} µs ({pairs[worst.Index].Gold} | {pairs[worst.Index].Found})"));
    }
}
