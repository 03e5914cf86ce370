using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Curriculum;
using Ghpo.Hints;

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

    /// <summary>
    /// Nobody needs the group any more: it is dropped, and whoever asked for it gets a <see cref="Status.Failure"/> with an <see cref="OperationCanceledException"/>. One that the worker
    /// does not have changes nothing.
    /// </summary>
    public sealed record WithdrawGroup(GroupId Group, int Attempt);

    /// <summary>Query, answered by <see cref="WorkerView"/>.</summary>
    public sealed record GetWorker;

    /// <summary>Query, answered by <see cref="RolloutsView"/>: the groups in hand, and how far their answers are.</summary>
    /// <param name="WithTokens">Their tokens too, not their number alone.</param>
    public sealed record GetRollouts(bool WithTokens);

    public sealed record RolloutsView(string Worker, ImmutableArray<RolloutProgress> Groups);

    /// <param name="Running">False: it waits for a place or a policy.</param>
    /// <param name="Elapsed">Since it was admitted; zero before.</param>
    /// <param name="Answers">By index; empty where it waits.</param>
    public sealed record RolloutProgress(GroupAttempt Attempt, bool Running, TimeSpan Elapsed, ImmutableArray<AnswerSoFar> Answers);

    /// <param name="Count">Tokens sampled so far.</param>
    /// <param name="Tokens">Them, where they were asked for.</param>
    public sealed record AnswerSoFar(int Answer, int Count, bool Finished, ImmutableArray<int> Tokens);

    /// <param name="Starved">Of the running sequences, those that wait for memory.</param>
    public sealed record WorkerView(
        string Worker, PolicyVersion? Version, int RunningGroups, int WaitingGroups, int RunningSequences, int Starved, long TokensSampled);
}
