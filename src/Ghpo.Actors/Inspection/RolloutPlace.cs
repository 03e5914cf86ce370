using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Dispatch;
using Ghpo.Problems;

namespace Ghpo.Inspection;

/// <summary>Where a process samples, and what it can say of it.</summary>
/// <param name="Workers">Its own workers, which know each token so far.</param>
/// <param name="Elsewhere">Workers of other nodes, of which it knows who has which group.</param>
/// <param name="Text">Tokens as text, or as numbers where there is no tokenizer.</param>
/// <param name="Knows">Whether the run has such a problem; true where that cannot be known.</param>
internal sealed record RolloutPlace(
    Func<Task<ImmutableArray<IActorRef>>> Workers,
    Func<Task<ImmutableArray<WorkerProtocol.WorkerView>>> Elsewhere,
    Func<ImmutableArray<int>, string> Text,
    Func<ProblemId, bool> Knows)
{
    /// <summary>The learner's process.</summary>
    public static RolloutPlace Of(InspectedRun run) => new(
        async () => [.. (await run.Team()).Members.Where(member => member.Key.StartsWith("rollout-", StringComparison.Ordinal)).Select(member => member.Value)],
        async () => [.. (await run.Run.Ask<WorkerProtocol.WorkersView>(new WorkerProtocol.GetWorkers(), InspectedRun.Patience)).Workers.Where(worker => !worker.IsLocal)],
        tokens => run.Context.Tokenizer.Decode(tokens),
        run.Context.ProblemsById.ContainsKey);
}
