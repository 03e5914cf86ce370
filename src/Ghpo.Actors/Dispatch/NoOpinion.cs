using Akka.Configuration;
using Akka.Event;
using Akka.Remote;

namespace Ghpo.Dispatch;

/// <summary>
/// The failure detector of a node that is no learner: it takes every member for reachable. Two workers need each other only to fetch weights, which the learner's plane has too. Had they an
/// opinion, one cut link between two of them would keep the cluster from agreeing on anything, and both would count as unreachable for all.
/// akka.conf says where it is used.
/// </summary>
/// <param name="config">As Akka makes failure detectors; nothing is set.</param>
/// <param name="events">As Akka makes failure detectors.</param>
#pragma warning disable CS9113 // The signature is Akka's.
public sealed class NoOpinion(Config config, EventStream events) : FailureDetector
#pragma warning restore CS9113
{
    private volatile bool _heard;

    public override bool IsAvailable => true;

    public override bool IsMonitoring => _heard;

    public override void HeartBeat() => _heard = true;
}
