using System.Collections.Immutable;
using Ghpo.Hints;

namespace Ghpo.Rollout;

/// <summary>Version of the weights: the number of optimizer steps committed since the base model.</summary>
public readonly record struct PolicyVersion(int Value) : IComparable<PolicyVersion>
{
    public int CompareTo(PolicyVersion other) => Value.CompareTo(other.Value);

    public static bool operator <(PolicyVersion left, PolicyVersion right) => left.Value < right.Value;

    public static bool operator >(PolicyVersion left, PolicyVersion right) => left.Value > right.Value;

    public static bool operator <=(PolicyVersion left, PolicyVersion right) => left.Value <= right.Value;

    public static bool operator >=(PolicyVersion left, PolicyVersion right) => left.Value >= right.Value;

    public override string ToString() => $"v{Value}";
}

/// <summary>A group with the exact tokens that its answers are sampled under, and will be trained under.</summary>
/// <param name="Prompt">Prompt tokens, hint included.</param>
/// <param name="UnhintedPrompt">The prompt of the same problem at ω = 0; empty where Prompt is that prompt.</param>
/// <param name="HintTokens">How many tokens the hint added.</param>
/// <param name="HintShortened">The hint did not fit the prompt budget and was shortened.</param>
/// <param name="HasSolution">False: there is nothing to hint with.</param>
public sealed record PromptedGroup(
    GroupAttempt Attempt,
    ImmutableArray<int> Prompt,
    ImmutableArray<int> UnhintedPrompt,
    int HintTokens,
    bool HintShortened,
    bool HasSolution)
{
    /// <summary>The group's span, as its traceparent; null: it is not traced.</summary>
    public string? Trace { get; init; }
}

public enum FinishReason
{
    /// <summary>The policy ended its answer with a stop token (which is the last of the completion's tokens).</summary>
    Stopped,

    /// <summary>The answer reached the longest allowed length.</summary>
    Length,
}

/// <summary>One sampled answer.</summary>
/// <param name="Tokens">Sampled tokens, the stop token included.</param>
/// <param name="LogProbs">
/// Log-probability in nats of each token under the tempered distribution before top-k and top-p, as the sampler saw it; as long as Tokens.
/// </param>
public sealed record Completion(ImmutableArray<int> Tokens, ImmutableArray<float> LogProbs, FinishReason Finish)
{
    /// <summary>Where the policy was switched within the answer, in order; empty unless <c>rollout.switch-in-flight</c> let it. Tokens before the first are of the group's version.</summary>
    public ImmutableArray<PolicySwitch> Switches { get; init; } = [];
}

/// <param name="Token">Index of the first token that was sampled under the version.</param>
public readonly record struct PolicySwitch(int Token, PolicyVersion Version);

/// <summary>G answers to one prompt.</summary>
/// <param name="Version">The policy that it was begun under; no token is of an older one.</param>
/// <param name="Epoch">Learner epoch that published the version.</param>
/// <param name="Worker">Name of the worker that sampled it.</param>
public sealed record RolloutGroup(
    PromptedGroup Prompted, ImmutableArray<Completion> Completions, long Epoch, PolicyVersion Version, string Worker);
