using Akka;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;

namespace Ghpo.Dispatch;

/// <summary>
/// The two StreamRefs that the learner's end of a session owns. They live as long as that actor, for its context materializes them; when either ends, it is told
/// <see cref="Ended"/>, and what comes over the results' stream it gets as messages.
/// <para>How much may be under way is said where a stream is received, not here: work's by the node, results' by Akka's default of 32.</para>
/// </summary>
/// <param name="Work">For the node: what it is to do.</param>
/// <param name="Results">For the node: where it says what came of it.</param>
internal sealed record SessionStreams<TWork, TResult>(ISourceRef<TWork> Work, ISinkRef<TResult> Results)
{
    /// <summary>Makes them; <paramref name="session"/> is sent them once both are there, or <see cref="Status.Failure"/>.</summary>
    public static void Open(IUntypedActorContext session, Source<TWork, NotUsed> work)
    {
        IActorRef self = session.Self;
        ActorMaterializer materializer = session.Materializer(namePrefix: "session");
        Task<ISourceRef<TWork>> offered = work
            .WatchTermination((_, ended) => TellOf(ended, self))
            .RunWith(StreamRefs.SourceRef<TWork>(), materializer);
        Task<ISinkRef<TResult>> heard = StreamRefs.SinkRef<TResult>()
            .ToMaterialized(
                Sink.ForEach<TResult>(result => self.Tell(result)),
                (made, ended) =>
                {
                    TellOf(ended, self);
                    return made;
                })
            .Run(materializer);
        BothAsync(offered, heard).PipeTo(self);
    }

    private static NotUsed TellOf(Task ended, IActorRef session)
    {
        ended.PipeTo(session, success: () => Ended.Instance, failure: _ => Ended.Instance);
        return NotUsed.Instance;
    }

    private static async Task<SessionStreams<TWork, TResult>> BothAsync(Task<ISourceRef<TWork>> work, Task<ISinkRef<TResult>> results) =>
        new(await work.ConfigureAwait(false), await results.ConfigureAwait(false));

    /// <summary>One of the streams is over.</summary>
    internal sealed class Ended
    {
        public static readonly Ended Instance = new();
    }
}
