using Ghpo.Configuration;
using Ghpo.Problems;

namespace Ghpo.Node.Evaluating;

/// <summary>How a benchmark is usually asked: the form of its data, and answers a problem. Small sets take more answers.</summary>
internal sealed record Benchmark(string Name, DataPreset Data, int Answers)
{
    public static readonly IReadOnlyList<Benchmark> All =
    [
        new("aime24", DataPreset.Math, 32),
        new("amc23", DataPreset.Math, 16),
        new("math-500", DataPreset.Math, 4),
        new("olympiadbench", DataPreset.Olympiadbench, 4),
        new("gsm8k", DataPreset.Gsm8k, 1),
    ];

    public static string Names => string.Join(", ", All.Select(benchmark => benchmark.Name));

    public static Benchmark Named(string name) => All.FirstOrDefault(benchmark => benchmark.Name == name)
        ?? throw new UserErrorException($"--preset {name}: known are {Names}.");
}
