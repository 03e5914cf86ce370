using System.Globalization;
using Akka.Actor;
using Akka.Event;
using Ghpo.Dispatch;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Inspection;

/// <summary>Who samples, on all nodes.</summary>
internal sealed class WorkerVerbs(InspectedRun run)
{
    public VerbPalette Palette => new("worker", "Who samples",
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
        Once("drain", "Finish what it has in hand and take nothing more", request => Tell(request, MemberOrder.Drain, new WorkerProtocol.DrainWorker(request.Arguments["name"]), "drains"), Place("name", "as `worker list` prints it")),
        Once("resume", "Take groups again", request => Tell(request, MemberOrder.Resume, new WorkerProtocol.ResumeWorker(request.Arguments["name"]), "takes groups again"), Place("name", "as `worker list` prints it")),
    ]);

    /// <summary>Obeyed first and journalled then: what it comes to is the same whenever it takes hold, and nobody reads of an order to a worker that there is not.</summary>
    private async Task<IEnumerable<ResponseLine>> Tell(InspectionRequest request, MemberOrder kind, object order, string said)
    {
        Logging.GetLogger(run.System, "inspection").Info("{By} orders worker {Order} of {Worker}", request.By, request.Command, request.Arguments["name"]);
        WorkerProtocol.WorkerTold told = await run.Run.Ask<WorkerProtocol.WorkerTold>(order, InspectedRun.Patience);
        return told.Problem is { } problem
            ? [new ResponseLine(problem, Error: true)]
            : [Line($"{told.Name} {said}", new { told.Name, Done = said }), .. await run.Note(kind, told.Name, request.By)];
    }
}
