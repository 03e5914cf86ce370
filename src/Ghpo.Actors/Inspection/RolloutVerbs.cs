using System.Collections.Immutable;
using System.Globalization;
using Akka;
using Akka.Actor;
using Akka.Streams.Dsl;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Problems;
using static Ghpo.Inspection.Verbs;
using static Ghpo.Rollout.RolloutProtocol;

namespace Ghpo.Inspection;

/// <summary>Groups that are being sampled.</summary>
internal sealed class RolloutVerbs(RolloutPlace place)
{
    private static readonly TimeSpan _glance = TimeSpan.FromMilliseconds(250);

    public VerbPalette Rollout => new("rollout", "Groups that are being sampled",
    [
        Once("list", "Groups in the hands of workers; how far those of other nodes are is known there", List),
        Once("show", "The answers of a group, as far as they are", Show, Place("group", "step/index, as `rollout list` prints it")),
        Tail("tail", "New tokens of a problem's answers, as workers of this process sample them", Follow, Option("problem", "id of the problem; without it, whatever is sampled next", "")),
    ]);

    private async Task<IEnumerable<ResponseLine>> List(InspectionRequest request)
    {
        ResponseLine[] lines =
        [
            .. (await Groups(withTokens: false)).Select(one => Describe(one!.Value.Worker, one.Value.Group)),
            .. (await place.Elsewhere()).SelectMany(worker => worker.Leases.Select(lease => Describe(worker, lease))),
        ];
        return lines.Length > 0 ? lines : [Line("no group is being sampled")];
    }

    private static ResponseLine Describe(WorkerProtocol.WorkerView worker, WorkerProtocol.LeaseView lease) => Line(
        string.Create(CultureInfo.InvariantCulture, $"{lease.Attempt.Group,-8} {lease.Attempt.Problem}  hint {lease.Attempt.HintRatio:0.##}  {worker.Name}  on {worker.Node} since {lease.Since.UtcDateTime:HH:mm:ss} UTC"),
        new
        {
            Group = lease.Attempt.Group.ToString(),
            Problem = lease.Attempt.Problem.Value,
            lease.Attempt.Attempt,
            lease.Attempt.HintRatio,
            Worker = worker.Name,
            worker.Node,
            lease.Since,
        });

    private async Task<IEnumerable<(string Worker, RolloutProgress Group)?>> Groups(bool withTokens)
    {
        IEnumerable<Task<RolloutsView?>> questions = (await place.Workers()).Select(worker => View(worker, withTokens));
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
        if (found is null && (await place.Elsewhere()).FirstOrDefault(worker => worker.Leases.Any(lease => lease.Attempt.Group.ToString() == wanted)) is { } other)
        {
            throw new UserErrorException($"rollout show {wanted}: {other.Name} on {other.Node} samples it, and its tokens are known there; ask that node's own inspection");
        }

        return found is not { } known
            ? throw new UserErrorException($"rollout show {wanted}: no such group is being sampled; `rollout list` prints those that are, `journal lineage` those that were")
            : [
                Describe(known.Worker, known.Group),
                .. known.Group.Answers.Select(answer =>
                {
                    string text = place.Text(answer.Tokens);
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
        if (problem.Length > 0 && !place.Knows(new ProblemId(problem)))
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
                    string text = place.Text([.. answer.Tokens.Skip(before)]);
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
