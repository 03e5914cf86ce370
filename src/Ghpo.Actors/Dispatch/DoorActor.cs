using Akka.Actor;
using Akka.Cluster;

namespace Ghpo.Dispatch;

/// <summary>
/// Where workers knock to learn whether a learner's process is still the one that they have joined. It does nothing; that it is there, under a name that no other
/// process has, is the answer, and Akka gives it by itself to <see cref="Identify"/>.
/// </summary>
internal sealed class DoorActor : ReceiveActor
{
    /// <summary>The uid is drawn anew by each actor system, also by one at the address of an earlier one.</summary>
    public static string NameOf(UniqueAddress process) => $"door-{process.Uid}";
}
