using System.ComponentModel.DataAnnotations;
using Ghpo.Models;

namespace Ghpo.Learning;

/// <summary>ghpo.learning</summary>
public sealed record LearningSettings(
    [property: Range(0.0, 10.0)] double Rate,
    RateSchedule Schedule,
    [property: Range(0.0, 1.0)] double WarmUpRatio,
    LossKind Loss,
    bool NormalizeByDeviation,
    [property: Range(0.0, 1.0)] double EpsilonLow,
    [property: Range(0.0, 10.0)] double EpsilonHigh,
    [property: Range(0.0, 100.0)] double KlBeta,
    [property: Range(1, 1000)] int Iterations,
    [property: Range(1.0, 1e6)] double ImportanceCap,
    HintedContext HintedContext,
    [property: Range(0.0, 10.0)] double WeightDecay,
    [property: Range(0.0, 1.0, MaximumIsExclusive = true)] double AdamBeta1,
    [property: Range(0.0, 1.0, MaximumIsExclusive = true)] double AdamBeta2,
    [property: Range(0.0, 1.0, MinimumIsExclusive = true)] double AdamEpsilon,
    [property: Range(0.0, 1e9)] double MaxGradientNorm,
    [property: Range(1, int.MaxValue)] int MicroBatchTokens,
    bool MaskTruncated,
    bool GradientCheckpointing,
    ComputeType OptimizerState,
    LoraSettings Lora,
    [property: Range(1, 1024)] int Threads);

public enum RateSchedule
{
    Cosine,
    Constant,
}

/// <summary>How token losses are summed up over a batch.</summary>
public enum LossKind
{
    Grpo,
    Bnpo,
    DrGrpo,
    Dapo,
}

/// <summary>The context that the answers of a hinted group are trained under.</summary>
public enum HintedContext
{
    /// <summary>The prompt they were sampled under.</summary>
    Sampled,

    /// <summary>The hint-free prompt, as if they had been sampled under it (the reference code's behaviour).</summary>
    UnhintedPrompt,

    /// <summary>The hint-free prompt, with the importance ratio against the prompt they were sampled under.</summary>
    RatioCorrected,
}
