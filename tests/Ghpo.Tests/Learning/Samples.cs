using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using static TorchSharp.torch;

namespace Ghpo.Tests.Learning;

/// <summary>Small groups, settings and models for tests.</summary>
internal static class Samples
{
    public static readonly RewardSettings Rewards = new(AccuracyWeight: 1, FormatWeight: 0.5, FormatRule.Boxed, LengthRewardSettings.Off, OwnRewardSettings.None);

    public static readonly LearningSettings Learning = new(
        Rate: 1e-3,
        RateSchedule.Constant,
        WarmUpRatio: 0,
        LossKind.Bnpo,
        NormalizeByDeviation: true,
        EpsilonLow: 0.2,
        EpsilonHigh: 0.2,
        KlBeta: 0,
        Iterations: 1,
        ImportanceCap: 2,
        HintedContext.Sampled,
        WeightDecay: 0.01,
        AdamBeta1: 0.9,
        AdamBeta2: 0.999,
        AdamEpsilon: 1e-8,
        MaxGradientNorm: 1,
        MicroBatchTokens: 4096,
        MaskTruncated: false,
        GradientCheckpointing: false,
        ComputeType.Float32,
        LoraSettings.Off,
        Threads: 1);

    public static readonly ModelConfig Model = new(
        ModelType.Qwen3,
        VocabularySize: 260,
        HiddenSize: 16,
        IntermediateSize: 24,
        Layers: 2,
        Heads: 2,
        KeyValueHeads: 1,
        HeadSize: 8,
        MaxPositions: 64,
        NormEpsilon: 1e-6,
        RopeTheta: 10_000,
        TiedEmbeddings: true,
        AttentionBias: false,
        StopTokens: [259]);

    /// <summary>A fresh model with a tokenizer in a folder of its own.</summary>
    public static LoadedModel FreshModel(string folder, ulong seed = 5, ScalarType dtype = ScalarType.Float32)
    {
        TinyTokenizer.Write(folder, CompactTokens.All, CompactTokens.ChatTemplate, CompactTokens.End);
        var decoder = new Decoder(Model, CPU, dtype);
        decoder.Initialise(seed);
        return new LoadedModel(Model, decoder, ModelTokenizer.Load(Path.Combine(folder, "tokenizer.json")), Model.StopTokens, folder);
    }

    /// <summary>A group of step <paramref name="step"/>: prompts and completions are a function of its index.</summary>
    public static SettledGroup Group(
        int index, Verdict[] verdicts, int step = 0, int version = 0, bool hinted = false, Settlement settlement = Settlement.Solved)
    {
        ImmutableArray<int> unhinted = [256, .. Numbers(3 + (index % 3), 7 + index), 258];
        return new SettledGroup(
            new GroupId(step, index),
            new ProblemId($"problem-{index}"),
            settlement,
            Attempt: hinted ? 2 : 0,
            HintRatio: hinted ? 0.5 : 0,
            HintShortened: false,
            hinted ? [.. unhinted[..^1], 257, .. Numbers(5, 31 + index), 258] : unhinted,
            hinted ? unhinted : [],
            [.. verdicts.Select((verdict, i) => Sample(verdict, 2 + ((index + i) % 5), (13 * index) + i))],
            ExtraTokens: 0,
            Epoch: 1,
            new PolicyVersion(version));
    }

    public static TrainingSample Sample(Verdict verdict, int tokens, int salt) => new(
        new Completion(
            [.. Numbers(tokens - 1, 100 + salt), 259],
            [.. Enumerable.Range(0, tokens).Select(t => -5.5f - (0.01f * ((t + salt) % 7)))],
            verdict == Verdict.Truncated ? FinishReason.Length : FinishReason.Stopped),
        verdict,
        Format: verdict == Verdict.Correct);

    /// <summary>A step of five groups: three that teach something, two of them hinted, one all wrong, one all right.</summary>
    public static IReadOnlyList<SettledGroup> Step(int step, int version) =>
    [
        Group(0, [Verdict.Correct, Verdict.Wrong, Verdict.Wrong, Verdict.Malformed], step, version),
        Group(1, [Verdict.Wrong, Verdict.Wrong, Verdict.Truncated, Verdict.Wrong], step, version, hinted: true, Settlement.Unsolved),
        Group(2, [Verdict.Correct, Verdict.Correct, Verdict.Wrong, Verdict.Correct], step, version, hinted: true),
        Group(3, [Verdict.Correct, Verdict.Correct, Verdict.Correct, Verdict.Correct], step, version),
        Group(4, [Verdict.Wrong, Verdict.Correct, Verdict.VerifierFailed, Verdict.Wrong], step, version, hinted: true),
    ];

    private static IEnumerable<int> Numbers(int count, int salt) => Enumerable.Range(0, count).Select(t => 32 + (((t * 37) + (salt * 11)) % 90));
}
