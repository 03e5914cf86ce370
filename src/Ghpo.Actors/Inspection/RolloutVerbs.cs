using System.Collections.Immutable;
using System.Globalization;
using Akka;
using Akka.Actor;
using Akka.Streams.Dsl;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using static Ghpo.Inspection.Verbs;
using static Ghpo.Rollout.RolloutProtocol;

namespace Ghpo.Inspection;

/// <summary>Groups that are being sampled, and who samples them.</summary>
internal sealed class RolloutVerbs(InspectedRun run)
{
    private static readonly TimeSpan _glance = TimeSpan.FromMilliseconds(250);

    public VerbPalette Rollout => new("rollout", "Groups that are being sampled",
    [
        Once("list", "Groups in the hands of workers", async _ => (await Groups(withTokens: false)).DefaultIfEmpty().Select(one => one is null
            ? Line("no group is being sampled")
            : Describe(one.Value.Worker, one.Value.Group))),
        Once("show", "The answers of a group, as far as they are", Show, Place("group", "step/index, as `rollout list` prints it")),
        Tail("tail", "New tokens of a problem's answers, as they are sampled", Follow, Option("problem", "id of the problem; without it, whatever is sampled next", "")),
    ]);

    public VerbPalette Worker => new("worker", "Who samples",
    [
        Once("list", "Workers and what they do", async _ =>
        {
            WorkerProtocol.WorkersView view = await run.Run.Ask<WorkerProtocol.WorkersView>(new WorkerProtocol.GetWorkers(), InspectedRun.Patience);
            return
            [
                .. view.Workers.Select(worker => Line(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{worker.Name} | {worker.Node} | {worker.State.ToString().ToLowerInvariant()} | {worker.Version?.ToString() ?? "no policy"} | {worker.Groups} groups, {worker.RunningSequences} sequences | {worker.TokensPerSecond:0} tok/s | {worker.Why}"),
                    new { worker.Name, worker.Node, worker.State, Version = worker.Version?.Value, worker.Groups, worker.RunningSequences, worker.TokensPerSecond, worker.LastHeard, worker.Since, worker.Why })),
                Line($"Count: {view.Workers.Length} workers; {view.LeasedGroups} groups leased, {view.PendingGroups} pending"),
                Line(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Leases: {view.LeaseWaits.Leases} so far; granted after {view.LeaseWaits.Median.TotalMilliseconds:0.0} ms (median), {view.LeaseWaits.P99.TotalMilliseconds:0.0} ms (p99)")),
            ];
        }),
        Once("drain", "Finish what it has in hand and take nothing more", request => Tell(new WorkerProtocol.DrainWorker(request.Arguments["name"]), "drains"), Place("name", "as `worker list` prints it")),
        Once("resume", "Take groups again", request => Tell(new WorkerProtocol.ResumeWorker(request.Arguments["name"]), "takes groups again"), Place("name", "as `worker list` prints it")),
    ]);

    private async Task<IEnumerable<ResponseLine>> Tell(object order, string said)
    {
        WorkerProtocol.WorkerTold told = await run.Run.Ask<WorkerProtocol.WorkerTold>(order, InspectedRun.Patience);
        return [told.Problem is { } problem ? new ResponseLine(problem, Error: true) : Line($"{told.Name} {said}", new { told.Name, Done = said })];
    }

    private async Task<IEnumerable<(string Worker, RolloutProgress Group)?>> Groups(bool withTokens)
    {
        RunProtocol.TeamView team = await run.Team();
        IEnumerable<Task<RolloutsView?>> questions = team.Members
            .Where(member => member.Key.StartsWith("rollout-", StringComparison.Ordinal))
            .Select(member => View(member.Value, withTokens));
        return (await Task.WhenAll(questions)).OfType<RolloutsView>()
            .SelectMany(view => view.Groups.Select(group => ((string, RolloutProgress)?)(view.Worker, group)))
            .OrderBy(one => one!.Value.Item2.Attempt.Group);
    }

    /// <summary>A worker that does not answer is named by `why`; the others are shown.</summary>
    private static async Task<RolloutsView?> View(IActorRef worker, bool withTokens)
    {
        try
        {
            return await worker.Ask<RolloutsView>(new GetRollouts(withTokens), StallWatch.Prompt);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }

    private async Task<IEnumerable<ResponseLine>> Show(InspectionRequest request)
    {
        string wanted = request.Arguments["group"];
        (string Worker, RolloutProgress Group)? found = (await Groups(withTokens: true)).FirstOrDefault(one => one!.Value.Group.Attempt.Group.ToString() == wanted);
        return found is not { } known
            ? throw new UserErrorException($"rollout show {wanted}: no such group is being sampled; `rollout list` prints those that are, `journal lineage` those that were")
            : [
                Describe(known.Worker, known.Group),
                .. known.Group.Answers.Select(answer =>
                {
                    string text = run.Context.Tokenizer.Decode(answer.Tokens);
                    return Line($"--- answer {answer.Answer}, {answer.Count} tokens{(answer.Finished ? ", finished" : "")}\n{text}", new { answer.Answer, Tokens = answer.Count, answer.Finished, Text = text });
                }),
            ];
    }

    private static ResponseLine Describe(string worker, RolloutProgress group)
    {
        int tokens = group.Answers.Sum(answer => answer.Count);
        double rate = group.Elapsed > TimeSpan.Zero ? tokens / group.Elapsed.TotalSeconds : 0;
        string state = group.Running ? $"{group.Answers.Count(answer => !answer.Finished)} of {group.Answers.Length} answers run" : "waits";
        return Line(
            string.Create(CultureInfo.InvariantCulture, $"{group.Attempt.Group,-8} {group.Attempt.Problem}  hint {group.Attempt.HintRatio:0.##}  {worker}  {state}  {tokens} tokens, {rate:0} tok/s"),
            new
            {
                Group = group.Attempt.Group.ToString(),
                Problem = group.Attempt.Problem.Value,
                group.Attempt.Attempt,
                group.Attempt.HintRatio,
                Worker = worker,
                group.Running,
                Tokens = tokens,
                TokensPerSecond = rate,
            });
    }

    private Source<ResponseLine, NotUsed> Follow(InspectionRequest request)
    {
        string problem = request.Arguments["problem"];
        if (problem.Length > 0 && run.Context.ProblemsById.Keys.All(known => known.Value != problem))
        {
            throw new UserErrorException($"rollout tail: the run has no problem {problem}");
        }

        var seen = new Dictionary<(string Group, int Attempt, int Answer), int>();
        // Asked only as fast as the client reads.
        return Source.Tick(TimeSpan.Zero, _glance, NotUsed.Instance)
            .MapMaterializedValue(_ => NotUsed.Instance)
            .SelectAsync(1, async _ => News(await Groups(withTokens: true), problem, seen))
            .SelectMany(lines => lines);
    }

    private ImmutableArray<ResponseLine> News(
        IEnumerable<(string Worker, RolloutProgress Group)?> groups, string problem, Dictionary<(string Group, int Attempt, int Answer), int> seen)
    {
        var lines = ImmutableArray.CreateBuilder<ResponseLine>();
        HashSet<(string, int, int)> alive = [];
        foreach ((string worker, RolloutProgress group) in groups.Select(one => one!.Value).Where(one => problem.Length == 0 || one.Group.Attempt.Problem.Value == problem))
        {
            foreach (AnswerSoFar answer in group.Answers)
            {
                (string, int, int) key = (group.Attempt.Group.ToString(), group.Attempt.Attempt, answer.Answer);
                alive.Add(key);
                int before = seen.GetValueOrDefault(key);
                if (answer.Count > before)
                {
                    string text = run.Context.Tokenizer.Decode([.. answer.Tokens.Skip(before)]);
                    lines.Add(Line(
                        $"{key.Item1} {group.Attempt.Problem} answer {answer.Answer} +{answer.Count - before}: {text}",
                        new { Group = key.Item1, Problem = group.Attempt.Problem.Value, answer.Answer, From = before, To = answer.Count, Text = text, Worker = worker }));
                    seen[key] = answer.Count;
                }
            }
        }

        foreach ((string, int, int) gone in seen.Keys.Where(key => !alive.Contains(key)).ToArray())
        {
            seen.Remove(gone);
        }

        return lines.ToImmutable();
    }
}
