using System.Collections.Immutable;
using System.Globalization;
using Ghpo.Curriculum;
using Ghpo.Rollout;

namespace Ghpo.Bench.Simulation;

/// <summary>
/// What simulated workers do with a group: how long it takes them and what they answer, both functions of the seed that the group is sampled with, so that anyone can tell
/// afterwards. The time is log-normal, median · exp(σ z) with z ~ N(0, 1); each answer is one of ten digits, each as likely, behind a text of about as many tokens as are asked
/// for. So a group of eight is solved 57 times in 100, and the others come back for a hint.
/// </summary>
/// <param name="Median">Seconds.</param>
/// <param name="Sigma">σ.</param>
/// <param name="Tokens">Tokens of an answer; lengths are uniform from half of it to half as much again.</param>
internal sealed record SimulatedWork(double Median, double Sigma, int Tokens)
{
    /// <summary>The place of its draws, beside those of the answers.</summary>
    private const int Time = int.MaxValue;

    public double SecondsOf(long runSeed, GroupId group, int attempt) => SecondsOf(SampleSeed.Of(runSeed, group, attempt));

    /// <summary>Box and Muller's transformation of two uniform draws.</summary>
    public double SecondsOf(ulong seed)
    {
        double normal = Math.Sqrt(-2 * Math.Log(CounterRandom.Uniform(seed, Time, 0))) * Math.Cos(2 * Math.PI * CounterRandom.Uniform(seed, Time, 1));
        return Median * Math.Exp(Sigma * normal);
    }

    /// <summary>The tokens of the built-in tokenizer are bytes.</summary>
    public Completion Answer(ulong seed, int answer, int stop)
    {
        int digit = (int)(10 * CounterRandom.Uniform(seed, answer, 0));
        string end = string.Create(CultureInfo.InvariantCulture, $"\\boxed{{{digit}}}");
        int length = Math.Max(end.Length, (int)(Tokens * (0.5 + CounterRandom.Uniform(seed, answer, 1))));
        var tokens = ImmutableArray.CreateBuilder<int>(length + 1);
        for (int i = 0; i < length - end.Length; i++)
        {
            tokens.Add(i % 6 == 5 ? ' ' : 'a' + (i % 26));
        }

        tokens.AddRange(end.Select(letter => (int)letter));
        tokens.Add(stop);
        return new Completion(tokens.ToImmutable(), [.. Enumerable.Range(0, tokens.Count).Select(i => -0.01f * (i % 97))], FinishReason.Stopped);
    }
}
