namespace Ghpo.Rollout;

/// <summary>A policy that a worker has loaded, and of which it has compared the hash with the published one.</summary>
/// <param name="Epoch">Learner epoch that published it.</param>
public sealed record HeldPolicy(long Epoch, PolicyVersion Version, string Hash);
