using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Rollout;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Inspection;

/// <summary>
/// What a node without the learner answers: how it stands and what its own worker samples. What only the learner can answer is known by name, and says where the learner is.
/// </summary>
/// <param name="node">The node's <see cref="NodeActor"/>.</param>
internal sealed class NodePalettes(ActorSystem system, IActorRef node, string name)
{
    private static readonly (string Palette, string Description)[] _learners =
    [
        ("run", "The run: how it stands, and orders to it"), ("pipeline", "The stages that a group passes through"), ("curriculum", "Which problems a step trains on"),
        ("hint", "How much of the solution a group sees"), ("journal", "The journal"), ("verifier", "Who judges on other nodes"),
    ];

    public IEnumerable<VerbPalette> All()
    {
        var removal = new MemberRemoval(system);
        var cluster = new ClusterVerbs(system, async (request, member) =>
            removal.AsOther(request, member) ?? throw await Elsewhere($"{request} {member.Address}{(request.Arguments.ContainsKey("yes") ? " --yes" : "")}"));
        return Palettes(cluster);
    }

    private IEnumerable<VerbPalette> Palettes(ClusterVerbs cluster) =>
    [
        new VerbPalette("why", "What this node is at, in a sentence",
        [
            Once("", "What this node is at", async _ =>
            {
                NodeActor.NodeView view = await View();
                string silence = view.LearnerSilence > StallWatch.Prompt
                    ? string.Create(CultureInfo.InvariantCulture, $", silent for {view.LearnerSilence.TotalSeconds:0} s")
                    : "";
                return
                [
                    Line(
                        $"{name} {view.Sentence}{(view.Learner is { } learner ? $"; its learner is {learner}{silence}" : "")}",
                        new { Name = name, view.Sentence, Learner = view.Learner?.ToString(), LearnerSilentSeconds = view.LearnerSilence.TotalSeconds }),
                ];
            }),
        ]),
        new VerbPalette("worker", "Who samples: here this node's own worker",
        [
            Once("list", "This node's worker", _ => Worker()),
            Elsewhere("drain", "Asked of the learner"),
            Elsewhere("resume", "Asked of the learner"),
        ]),
        new RolloutVerbs(new RolloutPlace(
            async () => (await View()).WorkerActor is { } worker && !worker.IsNobody() ? [worker] : [],
            () => Task.FromResult<ImmutableArray<WorkerProtocol.WorkerView>>([]),
            tokens => string.Join(' ', tokens),
            _ => true)).Rollout,
        .. _learners.Select(subject => new VerbPalette(subject.Palette, $"{subject.Description}; asked of the learner", [Elsewhere("", "Says where the learner is")])),
        cluster.Cluster,
        cluster.Actor,
    ];

    private Task<NodeActor.NodeView> View() => node.Ask<NodeActor.NodeView>(new NodeActor.GetNode(), InspectedRun.Patience);

    private async Task<IEnumerable<ResponseLine>> Worker()
    {
        NodeActor.NodeView view = await View();
        RolloutProtocol.WorkerView? worker = view.Worker;
        return
        [
            Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name} | {worker?.Version?.ToString() ?? "no policy"} | {worker?.RunningGroups ?? 0} groups run, {worker?.WaitingGroups ?? 0} wait, {worker?.RunningSequences ?? 0} sequences | {worker?.TokensSampled ?? 0} tokens so far | {view.Sentence}"),
                new { Name = name, Version = worker?.Version?.Value, Groups = worker?.RunningGroups ?? 0, RunningSequences = worker?.RunningSequences ?? 0, TokensSampled = worker?.TokensSampled ?? 0, Why = view.Sentence }),
        ];
    }

    private InspectionVerb Elsewhere(string command, string description) => Once(
        command,
        description,
        async request => throw await Elsewhere($"{request} {request.Arguments["words"]}".TrimEnd()),
        Place("words", "what would be asked there", ArgumentKind.Words, fallback: ""));

    private async Task<UserErrorException> Elsewhere(string asked)
    {
        NodeActor.NodeView view = await View();
        return new UserErrorException(view.Learner is { Host: { } host } learner
            ? $"{asked}: the learner answers that, and it is at {learner}; {LearnerPlace.Sentence(host, view.Inspection, asked)}"
            : $"{asked}: the learner answers that, and this node has none: it {view.Sentence}");
    }
}
