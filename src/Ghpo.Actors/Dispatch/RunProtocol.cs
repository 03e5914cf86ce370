namespace Ghpo.Dispatch;

/// <summary>What <see cref="RunActor"/> is told.</summary>
public static class RunProtocol
{
    /// <summary>Finish the step in hand, take a checkpoint, and end. Answered through <c>RunEvents.RunEnded</c>.</summary>
    public sealed record StopRun;

    /// <summary>Query, answered by <see cref="TeamView"/>.</summary>
    public sealed record GetTeam;

    /// <param name="Members">By name; empty while the team is being started again.</param>
    /// <param name="Failure">What the team was last started again for; null: nothing.</param>
    /// <param name="Restarts">Starts in a row without a committed step between.</param>
    public sealed record TeamView(string Run, System.Collections.Immutable.ImmutableSortedDictionary<string, Akka.Actor.IActorRef> Members, string? Failure, int Restarts);
}
