using Ghpo.Rollout;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Rollout;

public sealed class TokenSamplerTests
{
    /// <summary>p = 0.5, 0.25, 0.125, 0.0625, 0.0625</summary>
    private static readonly float[] Logits = [MathF.Log(8), MathF.Log(4), MathF.Log(2), 0, 0];

    [Fact]
    public void Uniform_numbers_are_pinned_and_spread_evenly()
    {
        // Worked out with SplitMix64 apart from this code.
        Assert.Equal(0.05816240739533818, CounterRandom.Uniform(1, 2, 3));
        double[] draws = [.. Enumerable.Range(0, 100_000).Select(index => CounterRandom.Uniform(42, index % 8, index / 8))];

        Assert.All(draws, u => Assert.InRange(u, double.Epsilon, 1 - double.Epsilon));
        Assert.InRange(ChiSquare(draws.CountBy(u => (int)(u * 100)).Select(bin => bin.Value), 100, _ => 1000), 0, 149);
        Assert.Equal(draws.Length, draws.Distinct().Count());
        double mean = draws.Average();
        Assert.InRange(Correlation(draws, lag: 1, mean), -0.015, 0.015);
        Assert.InRange(Correlation(draws, lag: 8, mean), -0.015, 0.015);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.5)]
    [InlineData(2.0)]
    public void Frequencies_follow_the_tempered_distribution(double temperature)
    {
        const int Draws = 20_000;
        double[] weights = [.. Logits.Select(logit => Math.Exp(logit / temperature))];
        double[] counts = Sample(Draws, temperature, topK: 5, topP: 1);

        // 4 degrees of freedom: 18.5 is exceeded once in a thousand, and the seed is fixed.
        Assert.InRange(ChiSquare(counts.Select(count => (int)count), 5, index => Draws * weights[index] / weights.Sum()), 0, 18.5);
    }

    [Theory]
    [InlineData(1, 1.0, "0")]
    [InlineData(2, 1.0, "01")]
    [InlineData(5, 0.5, "0")]
    [InlineData(5, 0.51, "01")]
    [InlineData(5, 0.75, "01")]
    [InlineData(5, 0.8, "012")]
    [InlineData(2, 0.6, "0")]
    [InlineData(4, 1.0, "01234")]
    [InlineData(5, 1e-9, "0")]
    public void Top_k_and_top_p_leave_the_likeliest_tokens_in_proportion(int topK, double topP, string expected)
    {
        const int Draws = 4000;
        int[] kept = [.. expected.Select(digit => digit - '0')];
        double[] counts = Sample(Draws, temperature: 1, topK, topP);
        double total = kept.Sum(index => Math.Exp(Logits[index]));

        Assert.Equal(kept, Enumerable.Range(0, 5).Where(index => counts[index] > 0));
        Assert.All(kept, index => Assert.Equal(Math.Exp(Logits[index]) / total, counts[index] / Draws, 0.03));
    }

    [Fact]
    public void Log_probabilities_are_taken_before_top_k_and_after_the_temperature()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor drawn = TokenSampler.Sample(tensor(Logits).unsqueeze(0), Draws(1, 0.5, 1, 0.2, _ => 0.3), greedy: false, restricted: true);

        // p² = 64, 16, 4, 1, 1 of 86
        Assert.Equal(0, drawn[0, 0].item<double>());
        Assert.Equal(Math.Log(64.0 / 86.0), drawn[1, 0].item<double>(), 1e-6);
    }

    [Fact]
    public void A_rows_restriction_leaves_its_neighbours_alone()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = randn(64, 1000);
        Tensor draws = Draws(64, 1, 1000, 1, row => CounterRandom.Uniform(3, 0, row));
        Tensor free = TokenSampler.Sample(logits, draws, greedy: false, restricted: false);
        draws[(int)DrawRow.TopK, 5] = 2;
        draws[(int)DrawRow.Greedy, 6] = 1;
        Tensor mixed = TokenSampler.Sample(logits, draws, greedy: true, restricted: true);

        foreach (int row in Enumerable.Range(0, 64).Except([5, 6]))
        {
            Assert.Equal(free[0, row].item<double>(), mixed[0, row].item<double>());
            Assert.Equal(free[1, row].item<double>(), mixed[1, row].item<double>());
        }

        Assert.Equal(logits[6].argmax().item<long>(), (long)mixed[0, 6].item<double>());
    }

    [Fact]
    public void Tokens_of_probability_zero_are_never_drawn_at_either_end()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = tensor(new float[] { -1000, 1, 1, -1000 }).expand(2, 4).contiguous();
        Tensor drawn = TokenSampler.Sample(logits, Draws(2, 1, 4, 1, row => row == 0 ? Math.Pow(2, -49) : 1 - Math.Pow(2, -49)), greedy: false, restricted: false);

        Assert.Equal([1, 2], drawn[0].data<double>().ToArray());
    }

    private static double[] Sample(int count, double temperature, int topK, double topP)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor draws = Draws(count, temperature, topK, topP, row => CounterRandom.Uniform(11, row % 4, row / 4));
        Tensor drawn = TokenSampler.Sample(tensor(Logits).expand(count, 5).contiguous(), draws, greedy: false, restricted: topK < 5 || topP < 1);
        double[] counts = new double[5];
        foreach (double token in drawn[0].data<double>())
        {
            counts[(int)token]++;
        }

        return counts;
    }

    private static Tensor Draws(int count, double temperature, int topK, double topP, Func<int, double> uniform)
    {
        double[,] draws = new double[5, count];
        for (int row = 0; row < count; row++)
        {
            draws[(int)DrawRow.Uniform, row] = uniform(row);
            draws[(int)DrawRow.Temperature, row] = temperature;
            draws[(int)DrawRow.TopK, row] = topK;
            draws[(int)DrawRow.TopP, row] = topP;
        }

        return tensor(draws);
    }

    private static double ChiSquare(IEnumerable<int> counts, int bins, Func<int, double> expected) =>
        counts.Concat(Enumerable.Repeat(0, bins)).Take(bins).Select((count, index) => Math.Pow(count - expected(index), 2) / expected(index)).Sum();

    private static double Correlation(double[] draws, int lag, double mean) =>
        draws.Skip(lag).Zip(draws, (later, earlier) => (later - mean) * (earlier - mean)).Sum() / draws.Sum(u => (u - mean) * (u - mean));
}
