using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Akka.Remote;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// Brings answers to verifier nodes and their judgements back; where there is no node, or a node is lost with an answer, the learner's own verifiers judge.
/// <code>
/// pipeline ── VerifyGroup ─▶ one AnswerToJudge an answer: pending ── TakeAnswer ◀─ session ◀─ demand of the node's stream
///     ▲                                                       └──────────────────▶ session ─▶ node
///     └── VerifiedGroup ◀── all answers judged ◀── JudgedByNode ── session ◀── judgements
/// </code>
/// A judgement is a function of an answer's text, its reference and the run's settings, so it does not matter who judges. Each node has a session, a child of
/// this actor. A node that cannot be heard, or keeps an answer longer than <see cref="Deadline"/>, loses its session; what it had is judged here at once, and the node
/// may come back with a new one.
/// <para>Failure: it holds nothing that is not asked for again; if it fails, the team starts again.</para>
/// </summary>
internal sealed class VerificationActor : ReceiveActor, IWithTimers
{
    /// <summary>An answer takes milliseconds.</summary>
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(1);

    private readonly RunContext _run;
    private readonly IActorRef _own;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly AnswerLedger _ledger = new(Deadline);
    private readonly Dictionary<WorkKey, OpenGroup> _groups = [];
    private readonly Dictionary<string, Node> _nodes = [];
    private readonly long _began;
    private long _sessions;

    /// <param name="own">The learner's own verifiers.</param>
    public VerificationActor(RunContext run, IActorRef own)
    {
        _run = run;
        _own = own;
        _began = run.Time.GetTimestamp();
        Receive<VerifyGroup>(OnVerify);
        Receive<TakeAnswer>(OnTake);
        Receive<JudgedByNode>(judged =>
        {
            if (_nodes.TryGetValue(judged.Node, out Node? node))
            {
                node.Judged++;
            }

            OnJudged(judged.Judged);
        });
        Receive<AnswerJudged>(OnJudged);
        Receive<OfferVerifier>(OnOffer);
        Receive<GetVerifiers>(_ => Sender.Tell(View()));
        Receive<Terminated>(gone => Lose(node => node.Session.Equals(gone.ActorRef), "its session ended"));
        Receive<DisassociatedEvent>(broken => Lose(node => node.Address.Equals(broken.RemoteAddress), "its connection broke"));
        Receive<ClusterEvent.UnreachableMember>(gone => Lose(node => node.Address.Equals(gone.Member.Address), "its node cannot be reached"));
        Receive<ClusterEvent.IReachabilityEvent>(_ => { });
        Receive<Tick>(_ =>
        {
            foreach (string overdue in _ledger.Overdue(Now))
            {
                Lose(node => node.Id == overdue, $"it has kept an answer for {Deadline.TotalSeconds:0} s");
            }
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private TimeSpan Now => _run.Time.GetElapsedTime(_began);

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Tick), new Tick(), _tick);
        Context.System.EventStream.Subscribe<DisassociatedEvent>(Self);
        if (((ExtendedActorSystem)Context.System).Provider is ClusterActorRefProvider)
        {
            Cluster.Get(Context.System).Subscribe(Self, ClusterEvent.InitialStateAsEvents, typeof(ClusterEvent.IReachabilityEvent));
        }
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void OnVerify(VerifyGroup request)
    {
        if (_nodes.Count == 0)
        {
            _own.Forward(request);
            return;
        }

        RolloutGroup group = request.Group;
        WorkKey key = WorkKey.Of(group.Prompted);
        Problem problem = _run.ProblemsById[group.Prompted.Attempt.Problem];
        _groups[key] = new OpenGroup(group, Sender, new Judgement?[group.Completions.Length]);
        for (int answer = 0; answer < group.Completions.Length; answer++)
        {
            Completion completion = group.Completions[answer];
            var of = new AnswerKey(key, answer);
            try
            {
                _ledger.Offer(new AnswerToJudge(of, problem.Id, problem.Answer, _run.Tokenizer.Decode(completion.Tokens), completion.Finish));
            }
#pragma warning disable CA1031 // As where the learner judges: whatever is thrown is the verifier's failure, not the answer's.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                Self.Tell(new AnswerJudged(of, AnswerVerifierActor.Failed(failure)));
            }
        }

        GrantAll();
    }

    private void OnTake(TakeAnswer request)
    {
        if (_nodes.TryGetValue(request.Node, out Node? node))
        {
            node.Asker = Sender;
            GrantAll();
        }
    }

    private void OnJudged(AnswerJudged judged)
    {
        _ledger.Deliver(judged.Key);
        if (!_groups.TryGetValue(judged.Key.Work, out OpenGroup? group))
        {
            return;
        }

        group.Judgements[judged.Key.Answer] ??= judged.Judgement;
        if (Array.TrueForAll(group.Judgements, judgement => judgement is not null))
        {
            _groups.Remove(judged.Key.Work);
            group.Asker.Tell(new VerifiedGroup(group.Rollout, [.. group.Judgements!]));
        }
    }

    /// <summary>Offers are repeated until they are answered; a second one of the same session changes nothing.</summary>
    private void OnOffer(OfferVerifier offer)
    {
        if (_nodes.Values.Any(node => node.Peer.Equals(offer.Session)))
        {
            return;
        }

        string id = $"{offer.Name}#{++_sessions}";
        var setup = new VerifierSetup(_run.Name, _run.Settings.Verification.Extraction, _run.Settings.Rewards.Format, _run.Settings.Verification.Precision);
        string inspection = _run.Cluster?.Inspection ?? "";
        IActorRef session = Context.Watch(Context.ActorOf(Props.Create(() => new RemoteVerifierActor(id, offer.Session, setup, inspection)), Uri.EscapeDataString(id)));
        _nodes.Add(id, new Node(id, offer, session));
        _log.Info("Verifier {Name} on {Node} joins; it judges {Capacity} answers at a time", offer.Name, offer.Session.Path.Address, offer.Capacity);
    }

    private void GrantAll()
    {
        foreach (Node node in _nodes.Values.Where(node => node.Asker is not null))
        {
            if (_ledger.Take(node.Id, Now) is not { } answer)
            {
                return;
            }

            node.Asker!.Tell(answer);
            node.Asker = null;
        }
    }

    private void Lose(Func<Node, bool> which, string why)
    {
        foreach (Node node in _nodes.Values.Where(which).ToArray())
        {
            _nodes.Remove(node.Id);
            Context.Unwatch(node.Session);
            Context.Stop(node.Session);
            ImmutableArray<AnswerToJudge> returned = _ledger.Return(node.Id);
            _log.Info("Verifier {Node} is lost: {Why}; it judged {Judged} answers, and {Returned} are judged here", node.Id, why, node.Judged, returned.Length);
            JudgeHere(returned);
        }

        if (_nodes.Count == 0)
        {
            JudgeHere(_ledger.ReturnPending());
        }
    }

    private void JudgeHere(ImmutableArray<AnswerToJudge> answers)
    {
        foreach (AnswerToJudge answer in answers)
        {
            _own.Tell(answer);
        }
    }

    private VerifiersView View()
    {
        DateTimeOffset began = _run.Time.GetUtcNow() - Now;
        return new VerifiersView(
            [
                .. _nodes.Values.OrderBy(node => node.Id, StringComparer.Ordinal).Select(node =>
                {
                    (int answers, TimeSpan? oldest) = _ledger.Held(node.Id);
                    return new VerifierView(node.Name, node.Address.ToString(), node.Capacity, answers, began + oldest, node.Judged);
                }),
            ],
            _ledger.Pending);
    }

    private sealed record OpenGroup(RolloutGroup Rollout, IActorRef Asker, Judgement?[] Judgements);

    /// <summary>One session of a verifier node.</summary>
    private sealed record Node(string Id, OfferVerifier Offer, IActorRef Session)
    {
        public string Name => Offer.Name;

        public int Capacity => Offer.Capacity;

        public IActorRef Peer => Offer.Session;

        public Address Address => Peer.Path.Address;

        /// <summary>Whoever waits for its next answer; null: nobody does.</summary>
        public IActorRef? Asker { get; set; }

        public long Judged { get; set; }
    }

    private sealed record Tick;
}
