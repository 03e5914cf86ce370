using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Inspection;

/// <summary>
/// What a node does that is told to take a member out of the cluster. The learner takes out whomever it is told to: a worker, by asking it to leave or by giving it up; itself, by
/// ending the run in good order or by ending at once. Another node takes out itself alone, and that in good order: who is gone is the learner's to say. Each order is in the log with who gave it, and what the learner is told also
/// in the journal.
/// </summary>
internal sealed class MemberRemoval(ActorSystem system)
{
    private const string Down = "down";

    private readonly ILoggingAdapter _log = Logging.GetLogger(system, "inspection");

    /// <summary>As the learner's node.</summary>
    /// <param name="run">Has the order journalled before it is obeyed.</param>
    /// <param name="stop">Stops the run as <c>run stop</c> does, which is journalled as that.</param>
    public async Task<IEnumerable<ResponseLine>> AsLearnerAsync(
        InspectionRequest request, Member member, InspectedRun run, Func<InspectionRequest, Task<IEnumerable<ResponseLine>>> stop)
    {
        Note(request, member);
        bool self = member.UniqueAddress.Equals(Cluster.Get(system).SelfUniqueAddress);
        bool down = request.Command == Down;
        if (self && !down)
        {
            return await stop(request);
        }

        IEnumerable<ResponseLine> noted = await run.Note(down ? MemberOrder.Down : MemberOrder.Leave, member.Address.ToString(), request.By);
        ResponseLine[] obeyed = (down, self) switch
        {
            (false, _) => Leave(member),
            (true, true) => GiveUp(member, "is marked down: its process ends at once, and `ghpo resume` goes on"),
            (true, false) => GiveUp(member, "is marked down: what it had goes to others; where its process lives it joins again as a new member, and `cluster leave` ends it"),
        };
        return [.. obeyed, .. noted];
    }

    /// <summary>As a node without the learner.</summary>
    /// <returns>Null: it is not this node's to do.</returns>
    public IEnumerable<ResponseLine>? AsOther(InspectionRequest request, Member member)
    {
        if (request.Command == Down || !member.UniqueAddress.Equals(Cluster.Get(system).SelfUniqueAddress))
        {
            return null;
        }

        Note(request, member);
        return Leave(member);
    }

    private ResponseLine[] Leave(Member member)
    {
        Cluster.Get(system).Leave(member.Address);
        return Told(member, "is asked to leave: it returns what it has in hand, and its process ends");
    }

    private ResponseLine[] GiveUp(Member member, string said)
    {
        Cluster.Get(system).Down(member.Address);
        return Told(member, said);
    }

    private static ResponseLine[] Told(Member member, string said) => [Line($"{member.Address} {said}", new { Address = member.Address.ToString(), Done = said })];

    private void Note(InspectionRequest request, Member member) =>
        _log.Info("{By} orders cluster {Order} of {Node} [{Roles}]", request.By, request.Command, member.Address, string.Join(",", member.Roles.Order()));
}
