using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Verification;

namespace Ghpo.Difficulty;

/// <summary>Asks <c>DifficultyClassifierActor</c> where a verified group goes. Answered by <see cref="Classified"/>.</summary>
public sealed record ClassifyGroup(VerifiedGroup Group);

/// <summary>Where a verified group goes.</summary>
public abstract record Classified;

/// <summary>To the learner.</summary>
/// <param name="Worker">Name of the worker that sampled it.</param>
public sealed record Settled(SettledGroup Group, string Worker) : Classified;

/// <summary>Back to the prompt sampler, with more of the solution.</summary>
public sealed record Escalated(GroupAttempt Next) : Classified;
