using System.Collections.Immutable;
using Ghpo.Rollout;

namespace Ghpo.Verification;

/// <summary>A sampled group with one judgement for each completion, in the same order.</summary>
public sealed record VerifiedGroup(RolloutGroup Rollout, ImmutableArray<Judgement> Judgements);
