using System.Globalization;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Inspection;

/// <summary>What waits for what.</summary>
internal sealed class WaitVerbs(InspectedRun run)
{
    private static readonly string[] _stages = ["escalated", "rollout", "verification", "classification", "delivery"];

    public VerbPalette Why => new("why", "What the run waits for, since when, and who is at fault, in a sentence",
    [
        Once("", "What the run waits for", async _ =>
        {
            Diagnosis diagnosis = (await run.Watch()).Diagnosis;
            return [Line(diagnosis.Stalled ? $"STALLED: {diagnosis.Sentence}" : diagnosis.Sentence, diagnosis)];
        }),
    ]);

    public VerbPalette Pipeline => new("pipeline", "The stages that a group passes through",
    [
        Once("show", "Each stage: what went in and out, what it waits for, since when", async _ =>
        {
            RunWatchActor.WatchView view = await run.Watch();
            return view.Watch.Stages.IsEmpty
                ? [Line("the pipeline has not begun")]
                : [
                    Line("stage           in       out   inside  state"),
                    .. _stages.Where(view.Watch.Stages.ContainsKey).Select(name => Describe(view.Watch.Stages[name], view.At)),
                ];
        }),
    ]);

    private static ResponseLine Describe(StageSeen stage, DateTimeOffset now)
    {
        RunEvents.StageDepth depth = stage.Depth;
        string state = depth.Groups == 0 ? "waits for input"
            : depth.Stage == "escalated" ? "waits for demand"
            : depth.Held == depth.Groups ? "waits for demand"
            : depth.Groups == depth.Bound ? "full" : "works";
        double since = (now - stage.Since).TotalSeconds;
        return Line(
            string.Create(CultureInfo.InvariantCulture, $"{depth.Stage,-14}{depth.Passed + depth.Groups,6}{depth.Passed,10}{depth.Groups,5}/{depth.Bound,-4} {state}, since {since:0} s"),
            new { depth.Stage, In = depth.Passed + depth.Groups, Out = depth.Passed, depth.Groups, depth.Bound, depth.Held, State = state, SinceSeconds = since });
    }
}
