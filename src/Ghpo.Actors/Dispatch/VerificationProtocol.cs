using System.Collections.Immutable;
using Akka.Actor;
using Akka.Streams;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Dispatch;

/// <summary>
/// What the two sessions of a verifier node say to each other, besides <see cref="SessionProtocol.WorkerRefused"/> and <see cref="SessionProtocol.SessionLeft"/>.
/// <code>
/// verifier's node                                            learner's node
/// VerifierSessionActor ── OfferVerifier, until answered ──▶ RunActor ─▶ VerificationActor, which starts a RemoteVerifierActor
///                      ◀── VerifierWelcomed: settings, two StreamRefs ── RemoteVerifierActor
///        each watches the other; a session ends with its peer, and its streams with it
///                      ◀══ AnswerToJudge ══ / ══ AnswerJudged ══▶   streams
/// </code>
/// </summary>
public static class VerificationProtocol
{
    /// <summary>Query, answered by <see cref="VerifiersView"/>. Send it to <see cref="RunActor"/>, which passes it on.</summary>
    public sealed record GetVerifiers;

    /// <param name="Verifiers">By name. Nodes only: the learner's own verifiers are no nodes.</param>
    /// <param name="PendingAnswers">Answers that no node has in hand.</param>
    public sealed record VerifiersView(ImmutableArray<VerifierView> Verifiers, int PendingAnswers = 0);

    /// <param name="Node">Address of its node, as the cluster knows it.</param>
    /// <param name="Capacity">Answers that it judges at a time.</param>
    /// <param name="Answers">Answers in hand.</param>
    /// <param name="OldestSince">When it got the oldest of them; null: it has none.</param>
    /// <param name="Judged">Answers judged since its session began.</param>
    public sealed record VerifierView(string Name, string Node, int Capacity, int Answers, DateTimeOffset? OldestSince, long Judged);

    /// <param name="Session">The verifier's session.</param>
    /// <param name="Capacity">Answers that it judges at a time.</param>
    internal sealed record OfferVerifier(string Name, IActorRef Session, int Capacity);

    /// <param name="Inspection">Where the learner can be looked into, HOST:PORT; "": nowhere.</param>
    internal sealed record VerifierWelcomed(IActorRef Session, VerifierSetup Setup, string Inspection, ISourceRef<AnswerToJudge> Work, ISinkRef<AnswerJudged> Judged);

    /// <summary>One answer: as text, for the tokenizer stays with the learner.</summary>
    /// <param name="Reference">The problem's own answer.</param>
    internal sealed record AnswerToJudge(AnswerKey Key, ProblemId Problem, string Reference, string Text, FinishReason Finish);

    internal sealed record AnswerJudged(AnswerKey Key, Judgement Judgement);

    /// <summary>Within the learner's process, from a node's stream when it has room. Answered by <see cref="AnswerToJudge"/> as soon as there is one for it.</summary>
    internal sealed record TakeAnswer(string Node);

    /// <summary>Within the learner's process: what a node says of an answer.</summary>
    internal sealed record JudgedByNode(string Node, AnswerJudged Judged);
}

/// <summary>One answer of one attempt at one group.</summary>
public readonly record struct AnswerKey(WorkKey Work, int Answer)
{
    public override string ToString() => $"{Work}/{Answer}";
}

/// <summary>What makes a verifier of another node judge as the learner's own.</summary>
public sealed record VerifierSetup(string Run, AnswerMarker Extraction, FormatRule Format, int Precision)
{
    public AnswerVerifier Create() => new(Extraction, Format, new Verification.Equivalence.EquivalenceOptions(Precision));
}
