using Akka.Actor;
using Ghpo.Dispatch;
using Ghpo.Inspection;

namespace Ghpo.Node.Observing;

/// <summary>How a process stands, as /healthz and /readyz say it.</summary>
/// <param name="Alive">Its actors answer. A run that stands still is alive: to kill it would not help it.</param>
/// <param name="Ready">It does its work: a run samples under a published policy, a worker holds one.</param>
/// <param name="Sentence">Why.</param>
internal sealed record Health(bool Alive, bool Ready, string Sentence)
{
    /// <summary>Actors that are well answer sooner.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3);

    public static Health Starting { get; } = new(true, false, "starting");

    public static Health Of(RunWatchActor.WatchView view) => new(
        true, view.Watch is { Learner.Published: not null, Regrouping: null, Ended: null }, view.Diagnosis.Sentence);

    /// <summary>A node between two lives of a learner.</summary>
    public static Health Searching { get; } = new(true, false, "looks for a learner");

    /// <param name="watcher">The run's <see cref="RunWatchActor"/>.</param>
    public static Func<Task<Health>> OfRun(IActorRef watcher) => () => Asked<RunWatchActor.WatchView>(watcher, new RunWatchActor.GetWatch(), Of);

    /// <param name="node">The node's <see cref="NodeActor"/>.</param>
    public static Func<Task<Health>> OfNode(IActorRef node) => () => Asked<NodeActor.NodeView>(node, new NodeActor.GetNode(), view => new Health(
        true, view.Serves, view.Sentence));

    private static async Task<Health> Asked<T>(IActorRef actor, object question, Func<T, Health> read)
    {
        try
        {
            return read(await actor.Ask<T>(question, _patience));
        }
        catch (AskTimeoutException)
        {
            return new Health(false, false, $"{actor.Path.Name} does not answer within {_patience.TotalSeconds:0} s");
        }
    }
}
