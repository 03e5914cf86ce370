using Akka.Cluster;

namespace Ghpo.Dispatch;

/// <summary>
/// Whom the learner puts out of its cluster: whoever it has not reached for <paramref name="patience"/>, each counted by itself. A value; time comes in as a value.
/// <code>
/// reachable ⇄ lost ─▶ patience over: put out, and forgotten
/// </code>
/// Nothing else counts. A cluster has one learner, which made it and cannot come back to it, so there is no side to choose: where the learner is, is the cluster. That is
/// keep-oldest for the role learner with a lone learner going on, less what keep-oldest adds to it: it downs nodes "indirectly connected", two workers whose link is cut, and the learner
/// itself where it cannot see one worker that another one sees.
/// </summary>
/// <param name="patience">From when the failure detector loses a member.</param>
internal sealed class UnreachableMembers(TimeSpan patience)
{
    private readonly Dictionary<UniqueAddress, TimeSpan> _since = [];

    /// <summary>The failure detector has lost it. One that was lost already stays lost since then.</summary>
    public void Lost(UniqueAddress member, TimeSpan now) => _since.TryAdd(member, now);

    /// <summary>It answers again, or is a member no more.</summary>
    public void Found(UniqueAddress member) => _since.Remove(member);

    /// <summary>Who is to be put out now. Each is named once.</summary>
    public IReadOnlyList<UniqueAddress> TakeOverdue(TimeSpan now)
    {
        UniqueAddress[] overdue = [.. _since.Where(member => now - member.Value >= patience).Select(member => member.Key).Order()];
        foreach (UniqueAddress member in overdue)
        {
            _since.Remove(member);
        }

        return overdue;
    }
}
