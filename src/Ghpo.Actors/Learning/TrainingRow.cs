using System.Collections.Immutable;
using Ghpo.Rollout;

namespace Ghpo.Learning;

/// <summary>One answer as it is trained.</summary>
/// <param name="Prompt">The context it is trained under, which <c>learning.hinted-context</c> may make another than it was sampled under.</param>
/// <param name="Advantage">Â of the answer, the same for all its tokens.</param>
/// <param name="GroupDiffers">False if all rewards of its group are equal.</param>
/// <param name="Old">Where the denominator of the ratio comes from.</param>
/// <param name="CorrectsStaleness">The surrogate is weighted by min(π_old / π_sampler, cap).</param>
internal sealed record TrainingRow(
    ImmutableArray<int> Prompt, Completion Completion, double Advantage, bool GroupDiffers, OldPolicy Old, bool CorrectsStaleness)
{
    public int Tokens => Completion.Tokens.Length;

    public int Length => Prompt.Length + Tokens;
}

/// <summary>The policy in the denominator of the ratio r = π_θ / π_old.</summary>
internal enum OldPolicy
{
    /// <summary>The learner's own weights at the start of the step.</summary>
    Learner,

    /// <summary>The policy and the prompt that the answer was sampled under.</summary>
    Sampler,
}
