namespace Ghpo.Dispatch;

/// <summary>What <see cref="RunActor"/> is told.</summary>
public static class RunProtocol
{
    /// <summary>Finish the step in hand, take a checkpoint, and end. Answered through <c>RunEvents.RunEnded</c>.</summary>
    public sealed record StopRun;
}
