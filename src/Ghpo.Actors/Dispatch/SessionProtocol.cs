using System.Collections.Immutable;
using Akka.Actor;
using Akka.Streams;
using Ghpo.Learning;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>
/// What the two sessions of a worker say to each other across nodes, besides <see cref="LearnerProtocol.PolicyPublished"/> and <see cref="HeldPolicy"/>.
/// <code>
/// worker's node                                          learner's node
/// RolloutSessionActor ── OfferWorker, until answered ──▶ RunActor ─▶ dispatcher, which starts a RemoteSessionActor
///                     ◀── WorkerWelcomed: settings, two StreamRefs ── RemoteSessionActor
///        each watches the other; a session ends with its peer, and its streams with it
///                     ◀── PolicyPublished ── / ── HeldPolicy ──▶
///                     ◀══ LeasedGroup ══════ / ══ SampledAnswers ══▶  streams
///                     ◀── GroupWithdrawn ──
///                     ── WorkReported, each second ──▶  ── AnswerFailed ──▶  ── SessionLeft ──▶
/// </code>
/// Nothing that is told once need arrive. A lost PolicyPublished or HeldPolicy is made up for by the next reports, which say what was heard of and what is held; a lost element of a stream ends the session; a lost
/// AnswerFailed is a lease that ends at its deadline.
/// </summary>
internal static class SessionProtocol
{
    /// <param name="Session">The worker's session.</param>
    /// <param name="Slots">Sequences that it decodes together.</param>
    /// <param name="Engine">What its engine's bits are; null: it is not set up so that they depend on its requests alone (one thread, CPU).</param>
    internal sealed record OfferWorker(string Name, IActorRef Session, int Slots, EngineFingerprint? Engine);

    /// <param name="Inspection">Where the learner can be looked into, HOST:PORT; "": nowhere.</param>
    internal sealed record WorkerWelcomed(
        IActorRef Session, WorkerSetup Setup, Uri Plane, string Inspection, ISourceRef<LeasedGroup> Work, ISinkRef<SampledAnswers> Answers);

    /// <summary>The offer cannot be taken; it need not be repeated as it is.</summary>
    internal sealed record WorkerRefused(string Reason);

    /// <summary>A lease on its way.</summary>
    internal sealed record LeasedGroup(PromptedGroup Prompted, PolicyVersion Oldest);

    /// <summary>Answers of a group on their way back: all of them, or, where they are long, as many as fit a frame well.</summary>
    /// <param name="First">Index of the first one.</param>
    internal sealed record SampledAnswers(WorkKey Key, int First, ImmutableArray<Completion> Completions, long Epoch, PolicyVersion Version)
    {
        /// <summary>A token takes about 9 bytes, a frame 4 MiB; what is smaller does not keep others waiting for long.</summary>
        private const int MostTokens = 16_384;

        /// <summary>The group in as few parts as hold <see cref="MostTokens"/> or one answer each.</summary>
        public static IEnumerable<SampledAnswers> Of(RolloutGroup group)
        {
            WorkKey key = WorkKey.Of(group.Prompted);
            for (int first = 0, next; first < group.Completions.Length; first = next)
            {
                int tokens = group.Completions[first].Tokens.Length;
                for (next = first + 1; next < group.Completions.Length && tokens + group.Completions[next].Tokens.Length <= MostTokens; next++)
                {
                    tokens += group.Completions[next].Tokens.Length;
                }

                yield return new SampledAnswers(key, first, group.Completions[first..next], group.Epoch, group.Version);
            }
        }
    }

    /// <param name="Diverged">The weights are at fault, not the worker.</param>
    internal sealed record AnswerFailed(WorkKey Key, string Reason, bool Diverged);

    /// <summary>A group that another worker has sampled meanwhile. One that is still on its way goes its way.</summary>
    internal sealed record GroupWithdrawn(WorkKey Key);

    /// <param name="Starved">Of its sequences, those that wait for memory.</param>
    /// <param name="Heard">The newest policy that was told to it; null: none.</param>
    /// <param name="Held">The policy that it has loaded; null: none.</param>
    internal sealed record WorkReported(int RunningSequences, int Starved, long TokensSampled, LearnerProtocol.PolicyPublished? Heard, HeldPolicy? Held);

    /// <summary>The worker returns what it has in hand. Nothing follows.</summary>
    internal sealed record SessionLeft;
}

/// <summary>What a worker's engine is made from, beside the settings of its own node (device, slots, threads).</summary>
/// <param name="ModelConfig">The text of the model's config.json.</param>
/// <param name="MaxLength">Longest prompt and completion together, in tokens.</param>
public sealed record WorkerSetup(
    string Run,
    long Seed,
    string ModelConfig,
    bool Bfloat16,
    ImmutableArray<int> StopTokens,
    int MaxLength,
    int GroupSize,
    int MaxNewTokens,
    double Temperature,
    int TopK,
    double TopP,
    int Staleness,
    bool SwitchInFlight);
