using Akka;
using Akka.Actor;
using Akka.Cluster;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Inspection;

/// <summary>The cluster and the actors of this node, in the words and output of <c>pbm</c>.</summary>
/// <param name="remove">Obeys <c>cluster leave</c> or <c>cluster down</c> of a member.</param>
internal sealed class ClusterVerbs(ActorSystem system, Func<InspectionRequest, Member, Task<IEnumerable<ResponseLine>>> remove)
{
    private const int TailBuffer = 256;
    private const int MostActors = 5000;
    private static readonly TimeSpan _identifyPatience = TimeSpan.FromSeconds(1);

    public VerbPalette Cluster => new("cluster", "The nodes of the run",
    [
        Once("show", "All members", _ => Now(Members())),
        Once("status", "How this node stands", _ => Now([Describe(State.SelfMember)])),
        Once("leader", "The member that leads", _ => Now([Line(State.State.Leader?.ToString() ?? "there is no leader at the moment", new { Leader = State.State.Leader?.ToString() })])),
        Once("leave", "Take a node out: it returns what it has in hand, and its process ends. The learner's ends the run, as `run stop` does", Remove,
            Place("address", "as `cluster show` prints it"), Flag("yes", "also where it is the learner")),
        Once("down", "Declare a node dead. One that lives joins again as a new member; the learner's process ends at once", Remove,
            Place("address", "as `cluster show` prints it"), Flag("yes", "also where it is the learner")),
        Tail("tail", "Members as they come and go", _ => Changes()),
    ]);

    public VerbPalette Actor => new("actor", "The actors of this node",
    [
        Once("hierarchy", "Paths of actors", Hierarchy, Option("start", "path to begin at", "/user", "-s"), Option("depth", "levels below it", "8", "-d")),
        Once("system", "The actor system", _ => Now([Line(
            $"{system.Name} | {((ExtendedActorSystem)system).Provider.DefaultAddress} | up {StepFigures.Duration(system.Uptime)}",
            new { system.Name, Address = ((ExtendedActorSystem)system).Provider.DefaultAddress.ToString(), UptimeSeconds = system.Uptime.TotalSeconds })])),
    ]);

    private Cluster State => Akka.Cluster.Cluster.Get(system);

    private static Task<IEnumerable<ResponseLine>> Now(IEnumerable<ResponseLine> lines) => Task.FromResult(lines);

    private IEnumerable<ResponseLine> Members()
    {
        ResponseLine[] members = [.. State.State.Members.OrderBy(member => member.Address.ToString(), StringComparer.Ordinal).Select(Describe)];
        return [.. members, Line($"Count: {members.Length} nodes")];
    }

    private ResponseLine Describe(Member member)
    {
        string reachable = State.State.Unreachable.Contains(member) ? "unreachable" : "";
        return Line(
            $"{member.Address} | [{string.Join(",", member.Roles.Order())}] | {member.Status.ToString().ToLowerInvariant()} | {reachable} | {member.AppVersion}",
            new { Address = member.Address.ToString(), Roles = member.Roles.Order(), Status = member.Status, Unreachable = reachable.Length > 0, Version = member.AppVersion.ToString() });
    }

    private Task<IEnumerable<ResponseLine>> Remove(InspectionRequest request)
    {
        string wanted = request.Arguments["address"];
        Cluster cluster = State;
        Member member = cluster.State.Members.FirstOrDefault(one => one.Address.ToString() == wanted)
            ?? throw new UserErrorException(
                $"{request} {wanted}: no such member{(Nearest.To(wanted, cluster.State.Members.Select(one => one.Address.ToString())) is { } near ? $"; did you mean {near}?" : "")}");
        if (member.HasRole(GhpoNode.LearnerRole) && !request.Arguments.ContainsKey("yes"))
        {
            throw new UserErrorException($"{request} {wanted}: it is the learner, and without it the run ends; `{request} {wanted} --yes` does it all the same");
        }

        return remove(request, member);
    }

    private Source<ResponseLine, NotUsed> Changes() => Source
        .ActorRef<ClusterEvent.IClusterDomainEvent>(TailBuffer, OverflowStrategy.Fail)
        .MapMaterializedValue(listener =>
        {
            State.Subscribe(listener, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
            return NotUsed.Instance;
        })
        .Select(change => change switch
        {
            ClusterEvent.IMemberEvent member => Line($"{member.GetType().Name} {member.Member.Address}", new { Event = member.GetType().Name, Address = member.Member.Address.ToString() }),
            ClusterEvent.ReachabilityEvent reach => Line($"{reach.GetType().Name} {reach.Member.Address}", new { Event = reach.GetType().Name, Address = reach.Member.Address.ToString() }),
            _ => Line(change.ToString()!, new { Event = change.GetType().Name }),
        });

    private async Task<IEnumerable<ResponseLine>> Hierarchy(InspectionRequest request)
    {
        int depth = request.Number("depth", 1, 64);
        string start = request.Arguments["start"];
        ActorIdentity found = await system.ActorSelection(start).Ask<ActorIdentity>(new Identify(null), _identifyPatience);
        if (found.Subject is not ActorRefWithCell actor)
        {
            throw new UserErrorException($"actor hierarchy: there is no {start}; paths begin with /user or /system");
        }

        var lines = new List<ResponseLine>();
        Walk(actor, depth, lines);
        return lines;
    }

    private static void Walk(ActorRefWithCell actor, int depth, List<ResponseLine> lines)
    {
        if (lines.Count == MostActors)
        {
            return;
        }

        string path = actor.Path.ToStringWithoutAddress();
        lines.Add(Line(path, new { Path = path }));
        if (depth > 0)
        {
            foreach (ActorRefWithCell child in actor.Children.OfType<ActorRefWithCell>().OrderBy(child => child.Path.Name, StringComparer.Ordinal))
            {
                Walk(child, depth - 1, lines);
            }
        }
    }
}
