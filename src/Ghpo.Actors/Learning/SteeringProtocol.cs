using Ghpo.Inspection;

namespace Ghpo.Learning;

/// <summary>How a user steers a run that is under way. Send it to the run's actor, which passes it to the learner that is in charge.</summary>
public static class SteeringProtocol
{
    /// <summary>Answered by <see cref="Steered"/> once it is in the journal, or by <see cref="NotSteered"/>.</summary>
    /// <param name="By">Who asks.</param>
    public sealed record SteerRun(RunOrder Order, string By);

    /// <summary>Changes a setting from the first step on that is not open yet. Answered by <see cref="Steered"/> once it is in the journal, or by <see cref="NotSteered"/>.</summary>
    /// <param name="Key">Path of the setting, with or without <c>ghpo.</c></param>
    /// <param name="Value">As it would stand in a file.</param>
    public sealed record ChangeSetting(string Key, string Value, string By);

    /// <summary>Notes an order to a member of the cluster, which others obey. Answered by <see cref="Steered"/> once it is in the journal, or by <see cref="NotSteered"/>.</summary>
    /// <param name="Member">Name of a worker, or address of a node.</param>
    public sealed record SteerMember(MemberOrder Order, string Member, string By);

    /// <param name="Said">What was done, in a sentence.</param>
    /// <param name="FromStep">The first step that it has a bearing on.</param>
    public sealed record Steered(string Said, int FromStep);

    /// <param name="Problem">Why nothing was done, and the way out.</param>
    /// <param name="Misused">No run could do it: the key or the value is wrong.</param>
    public sealed record NotSteered(string Problem, bool Misused = false);

    /// <summary>What the learner tells its parent when it has journalled a stop: a team that starts again is to stop too.</summary>
    public sealed record StopNoted;

    /// <summary>
    /// Event. Persisted because a pause outlives the process that was told of it, and because whoever reads a run must see what was done to it, by whom.
    /// </summary>
    /// <param name="Step">The first step that was not committed then.</param>
    public sealed record RunSteered(RunOrder Order, int Step, string By, DateTimeOffset At);

    /// <summary>Event. It has no bearing on what is learned; whoever reads a run sees from it why workers came and went.</summary>
    /// <param name="Member">Name of a worker, or address of a node.</param>
    /// <param name="Step">The first step that was not committed then.</param>
    public sealed record MemberSteered(MemberOrder Order, string Member, int Step, string By, DateTimeOffset At);
}
