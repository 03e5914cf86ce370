using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>
/// What the dispatcher thinks of one worker's session; <see cref="WorkerState"/> is drawn there. A value: events in, the next value out; time comes in as a
/// value, and nothing happens but by an event.
/// <para>
/// There is no way back from Lost. A worker that was gone may hold weights that are hundreds of steps old; it comes back with a new session, Joining, and
/// serves once it has proved again what it holds.
/// </para>
/// <para>
/// Two things make it Suspect, and they are counted apart, because a wedged engine still answers probes. One that cannot be heard (its node is
/// unreachable, or its reports stay away) takes nothing until it is heard again; after <see cref="SilenceLimit"/> it is lost. One that fails at groups
/// takes one group at a time until it brings a result; no probe clears it, and after <see cref="FailureLimit"/> failures in a row it is lost.
/// </para>
/// </summary>
/// <param name="Held">What it proved to hold; null before it did.</param>
/// <param name="Unreachable">Its node does not answer the cluster's heartbeats.</param>
/// <param name="LastHeard">When its last report came.</param>
/// <param name="Failures">Groups that it failed at in a row.</param>
/// <param name="Drained">It is to take nothing more.</param>
/// <param name="Since">When its state became what it is.</param>
/// <param name="Why">What made it so.</param>
internal sealed record WorkerHealth(
    HeldPolicy? Held,
    bool ToldOfPolicy,
    bool Unreachable,
    TimeSpan LastHeard,
    int Failures,
    bool Drained,
    bool IsLost,
    TimeSpan Since,
    string Why)
{
    public const int FailureLimit = 3;

    /// <summary>Without a report for so long it is suspect; reports come every second.</summary>
    public static readonly TimeSpan SilencePatience = TimeSpan.FromSeconds(5);

    /// <summary>Without one for so long it is lost.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(60);

    public WorkerState State => this switch
    {
        { IsLost: true } => WorkerState.Lost,
        { Drained: true } => WorkerState.Draining,
        { ToldOfPolicy: false } => WorkerState.Joining,
        { Held: null } => WorkerState.Fetching,
        { Unreachable: true } or { Silent: true } or { Failures: > 0 } => WorkerState.Suspect,
        _ => WorkerState.Serving,
    };

    /// <summary>Its reports stay away.</summary>
    public bool Silent { get; private init; }

    public static WorkerHealth Joined(TimeSpan now) => new(null, false, false, now, 0, false, false, now, "");

    /// <summary>Whether it may take a group.</summary>
    /// <param name="held">Groups that it has in hand.</param>
    public bool MayTake(int held) => State switch
    {
        WorkerState.Serving => true,
        WorkerState.Suspect => !Unreachable && !Silent && held == 0,
        _ => false,
    };

    /// <summary>A policy was published to it.</summary>
    public WorkerHealth Told(TimeSpan now) => On(this with { ToldOfPolicy = true }, now, "");

    /// <summary>It has loaded a policy and said which; the hash is the one published.</summary>
    public WorkerHealth Proved(HeldPolicy held, TimeSpan now) => On(this with { Held = held, ToldOfPolicy = true }, now, "");

    /// <summary>Its report has come.</summary>
    public WorkerHealth Heard(TimeSpan now) => On(this with { LastHeard = now, Silent = false }, now, "");

    /// <summary>Time has passed.</summary>
    public WorkerHealth Passed(TimeSpan now) => (now - LastHeard) switch
    {
        var silence when silence >= SilenceLimit => Gone(now, $"not heard for {SilenceLimit.TotalSeconds:0} s"),
        var silence when silence >= SilencePatience => On(this with { Silent = true }, now, $"not heard for more than {SilencePatience.TotalSeconds:0} s"),
        _ => this,
    };

    /// <summary>The cluster's failure detector has lost its node, or found it again.</summary>
    public WorkerHealth Reached(bool reachable, TimeSpan now) =>
        On(this with { Unreachable = !reachable }, now, reachable ? "" : "its node is unreachable");

    /// <summary>Its connection broke: a killed process is known by that at once. It may be a blip; the next report says so.</summary>
    public WorkerHealth Disconnected(TimeSpan now) => On(this with { Silent = true }, now, "its connection broke");

    /// <summary>It brought a result.</summary>
    public WorkerHealth Worked(TimeSpan now) => On(this with { Failures = 0 }, now, "");

    /// <summary>It failed at a group, or let its deadline pass.</summary>
    public WorkerHealth Failed(string why, TimeSpan now) => Failures + 1 >= FailureLimit
        ? Gone(now, $"failed {FailureLimit} groups in a row, the last: {why}")
        : On(this with { Failures = Failures + 1 }, now, why);

    public WorkerHealth Drain(TimeSpan now) => On(this with { Drained = true }, now, "told to drain");

    public WorkerHealth Resume(TimeSpan now) => On(this with { Drained = false }, now, "");

    /// <summary>Its session is over.</summary>
    public WorkerHealth Gone(TimeSpan now, string why) => On(this with { IsLost = true }, now, why);

    /// <summary>Lost stays lost, and a state that stays keeps its time and reason.</summary>
    private WorkerHealth On(WorkerHealth next, TimeSpan now, string why) => IsLost
        ? this
        : next.State == State ? next with { Since = Since, Why = Why } : next with { Since = now, Why = why };
}
