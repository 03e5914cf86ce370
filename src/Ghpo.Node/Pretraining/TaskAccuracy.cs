using System.Collections.Immutable;
using System.Globalization;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Node.Pretraining;

/// <summary>
/// Accuracy of a base model, sampled as rollouts are, by number of operations and hint ratio, through the rollout engine and the verifier. The problems are drawn
/// afresh from the training split: held-out problems are left to the runs that start from the model.
/// </summary>
internal sealed class TaskAccuracy(ModelConfig config, ITokenizer tokenizer, ulong seed, int problemsPerLevel)
{
    private const int LongestPrompt = 256;
    private const int LongestCompletion = 320;
    private const int Slots = 128;

    public static readonly ImmutableArray<int> Operations = [1, 2, 3, 4, 5, 6, 7, 8];

    public static readonly ImmutableArray<double> HintRatios = [0, 0.25, 0.5, 0.75];

    /// <summary>Accuracy at each of <see cref="HintRatios"/>, each by <see cref="Operations"/>.</summary>
    public ImmutableArray<ImmutableArray<double>> Measure(PolicySnapshot policy)
    {
        var random = new SplitMix64(seed);
        var problems = new List<Problem>();
        foreach (int operations in Operations)
        {
            for (int i = 0; i < problemsPerLevel; i++)
            {
                problems.Add(ArithmeticProblems.Draw(ref random, operations, DataSplit.Train, i));
            }
        }

        var builder = new PromptBuilder(
            PromptTemplate.Compact,
            tokenizer,
            new PromptSettings(PromptTemplate.Compact.Name, System: "", LongestPrompt, TooLong.Refuse, HintIntroduction: "auto"),
            new HintSettings(HintStrategy.None, HintRatios, FixedRatio: 0.5, HintUnit.Characters, ColdStartSteps: 0));
        return
        [
            .. HintRatios.Select(ratio =>
            {
                using var evaluation = new HeldOutEvaluation(
                    new GenerationEngine(
                        config, TorchSharp.torch.CPU, TorchSharp.torch.ScalarType.Float32, config.StopTokens, Slots, LongestPrompt + LongestCompletion),
                    tokenizer,
                    builder,
                    new AnswerVerifier(AnswerMarker.Boxed, FormatRule.None),
                    problems,
                    new EvaluationSettings(Enabled: true, EverySteps: 0, Temperature: 1, Answers: 1),
                    new SamplingOptions(Temperature: 1, TopK: 0, TopP: 1, LongestCompletion),
                    ratio,
                    (long)seed);
                return evaluation.Run(policy).Levels.Select(level => level.Accuracy).ToImmutableArray();
            }),
        ];
    }

    /// <summary>A Markdown table of what <see cref="Measure"/> returned.</summary>
    public static string Table(ImmutableArray<ImmutableArray<double>> accuracy)
    {
        var lines = new List<string>
        {
            "| hint ratio | " + string.Join(" | ", Operations) + " |",
            "|---|" + string.Concat(Enumerable.Repeat("---|", Operations.Length)),
        };
        for (int i = 0; i < HintRatios.Length; i++)
        {
            lines.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"| {HintRatios[i]:0.00} | {string.Join(" | ", accuracy[i].Select(value => value.ToString("0.00", CultureInfo.InvariantCulture)))} |"));
        }

        return string.Join('\n', lines);
    }
}
