using Akka.Actor;

namespace Ghpo.Rollout;

/// <summary>What <c>RolloutWorkerActor</c> is told and answers.</summary>
public static class RolloutProtocol
{
    /// <summary>Whom to tell which policy is loaded: <c>HeldPolicy</c>, at once and at each load.</summary>
    public sealed record TellOfPolicies(IActorRef Listener);

    /// <summary>
    /// Samples a group under a policy of at least <paramref name="OldestVersion"/>; waits for that policy if it is not here yet. Answered by
    /// <see cref="RolloutGroup"/>, or by <see cref="Status.Failure"/> if the model cannot be sampled.
    /// </summary>
    public sealed record SampleGroup(PromptedGroup Prompted, PolicyVersion OldestVersion);

    /// <summary>Query, answered by <see cref="WorkerView"/>.</summary>
    public sealed record GetWorker;

    public sealed record WorkerView(
        string Worker, PolicyVersion? Version, int RunningGroups, int WaitingGroups, int RunningSequences, long TokensSampled);
}
