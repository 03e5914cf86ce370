using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Problems;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Inspection;

/// <summary>Which problems steps train on.</summary>
internal sealed class CurriculumVerbs(InspectedRun run)
{
    public VerbPalette Palette => new("curriculum", "Which problems a step trains on",
    [
        Once("show", "How far the problems are gone through", async _ =>
        {
            CurriculumProtocol.CurriculumView view = await run.Ask<CurriculumProtocol.CurriculumView>(StallWatch.CurriculumName, new CurriculumProtocol.GetCurriculum());
            return
            [
                Line(
                    $"pass {view.Pass}, at problem {view.Cursor} of {view.Problems}; {view.ProblemsSeen} seen so far; open steps: {(view.OpenSteps.IsEmpty ? "none" : string.Join(", ", view.OpenSteps))}", view),
            ];
        }),
        Once("problem", "How a problem went so far", async request =>
        {
            ProblemId problem = Known(run, request);
            CurriculumProtocol.ProblemView view = await run.Ask<CurriculumProtocol.ProblemView>(StallWatch.CurriculumName, new CurriculumProtocol.GetProblem(problem));
            return
            [
                view.Statistics is { } known
                    ? Line(
                        $"{problem}: {known.Correct} of {known.Judged} answers correct over {known.Seen} groups; last {SettingsSchema.Kebab(known.LastSettlement.ToString())} at {StepFigures.Percent(known.LastHintRatio)} in group {known.Last}",
                        new { Problem = problem.Value, known.Seen, known.Correct, known.Judged, Last = known.Last.ToString(), LastSettlement = known.LastSettlement, known.LastHintRatio })
                    : Line($"{problem}: no group of it has settled", new { Problem = problem.Value, Seen = 0 }),
            ];
        }, Place("id", "id of the problem")),
    ]);

    internal static ProblemId Known(InspectedRun run, InspectionRequest request)
    {
        var problem = new ProblemId(request.Arguments["id"]);
        return run.Context.ProblemsById.ContainsKey(problem) ? problem : throw new UserErrorException($"{request} {problem}: the run has no such training problem");
    }
}

/// <summary>How much help groups get.</summary>
internal sealed class HintVerbs(InspectedRun run, RunVerbs steering)
{
    public VerbPalette Palette => new("hint", "How much of the solution a group sees",
    [
        Once("show", "Levels, and groups that are at one", async _ =>
        {
            HintProtocol.HintView view = await run.Ask<HintProtocol.HintView>(StallWatch.HintsName, new HintProtocol.GetHints());
            return
            [
                Line(
                    $"levels {string.Join(" ", view.Levels.Select(StepFigures.Percent))}; {view.ProblemsRemembered} problems remembered; {view.OpenGroups.Length} groups under a hint",
                    new { view.Levels, view.ProblemsRemembered, Open = view.OpenGroups.Length }),
                .. view.OpenGroups.Select(group => Line(
                    $"{group.Group,-8} {group.Problem}  hint {StepFigures.Percent(group.HintRatio)}  attempt {group.Attempt}",
                    new { Group = group.Group.ToString(), Problem = group.Problem.Value, group.HintRatio, group.Attempt })),
            ];
        }),
        Once("problem", "Where a problem was last solved", async request =>
        {
            ProblemId problem = CurriculumVerbs.Known(run, request);
            HintProtocol.ProblemHintView view = await run.Ask<HintProtocol.ProblemHintView>(StallWatch.HintsName, new HintProtocol.GetProblemHint(problem));
            return
            [
                view.Memory is { } memory
                    ? Line(
                        $"{problem}: last solved at {StepFigures.Percent(memory.Newest.HintRatio)} in group {memory.Newest.Group}",
                        new { Problem = problem.Value, memory.Newest.HintRatio, Group = memory.Newest.Group.ToString() })
                    : Line($"{problem}: never solved yet", new { Problem = problem.Value }),
            ];
        }, Place("id", "id of the problem")),
        Once(
            "levels", "Climb through other hint ratios, from the first step on that is not begun",
            request => steering.Change("hints.levels", $"[{string.Join(", ", request.Arguments["levels"].Split(' ', StringSplitOptions.RemoveEmptyEntries))}]", request.By),
            Place("levels", "rising ratios between 0 and 1, as in 0.25 0.5 0.75", ArgumentKind.Words)),
    ]);
}
