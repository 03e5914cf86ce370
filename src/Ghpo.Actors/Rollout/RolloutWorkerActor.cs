using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Observability;
using Ghpo.Policy;

namespace Ghpo.Rollout;

/// <summary>
/// Samples groups with an engine of its own, on a thread of its own (run it with a pinned dispatcher).
/// <para>
/// Lifecycle: it makes the engine on its thread, and loads each policy that is published, between groups: while a newer
/// policy waits, running groups finish under the old one and no group is admitted. With <c>rollout.switch-in-flight</c> running groups go on under the newer
/// one of the same epoch instead, from the token at hand on. A group that needs a newer policy than
/// the one loaded waits for it; a policy is loaded only from the store, with the hash that was published, and never after a newer one or one of a newer epoch. One that newer
/// ones have displaced by the time this worker hears of it is passed over.
/// </para>
/// <para>
/// Decoding goes on by a message to itself a token, so groups, policies and queries are heard between any two tokens. It holds as many groups as the
/// its session sends, which is bounded by its slots.
/// </para>
/// <para>Failure: an engine that throws fails every group in hand and stops the actor; its supervisor decides what follows.</para>
/// </summary>
public sealed class RolloutWorkerActor : ReceiveActor
{
    private readonly string _name;
    private readonly Func<IGenerationEngine> _createEngine;
    private readonly PolicyStore _store;
    private readonly RolloutSettings _settings;
    private readonly long _runSeed;
    private readonly LinkedList<Job> _waiting = new();
    private readonly HashSet<Job> _running = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly KeyValuePair<string, object?> _tag;
    private IGenerationEngine? _engine;
    private long _counted;
    private LearnerProtocol.PolicyPublished? _loaded;
    private LearnerProtocol.PolicyPublished? _newest;
    private IActorRef _listener = ActorRefs.Nobody;
    private bool _decoding;

    public RolloutWorkerActor(
        string name, Func<IGenerationEngine> createEngine, PolicyStore store, RolloutSettings settings, long runSeed)
    {
        _name = name;
        _createEngine = createEngine;
        _store = store;
        _settings = settings;
        _runSeed = runSeed;
        _tag = new KeyValuePair<string, object?>(GhpoMeters.Worker, name);

        Receive<RolloutProtocol.TellOfPolicies>(tell =>
        {
            _listener = tell.Listener;
            TellWhatIsLoaded();
        });
        Receive<LearnerProtocol.PolicyPublished>(OnPolicy);
        Receive<RolloutProtocol.SampleGroup>(OnSample);
        Receive<RolloutProtocol.WithdrawGroup>(OnWithdraw);
        Receive<Decode>(_ => OnDecode());
        Receive<RolloutProtocol.GetWorker>(_ => Sender.Tell(new RolloutProtocol.WorkerView(
            _name, _loaded?.Version, _running.Count, _waiting.Count, _engine!.RunningSequences, _engine.StarvedSequences, _engine.TokensSampled)));
        Receive<RolloutProtocol.GetRollouts>(query => Sender.Tell(Rollouts(query.WithTokens)));
    }

    protected override void PreStart() => _engine = _createEngine();

    protected override void PostStop()
    {
        foreach (Job job in _running.Concat(_waiting))
        {
            job.Span?.End(new OperationCanceledException("the worker stopped before the group was sampled"));
        }

        _engine?.Dispose();
    }

    private void OnPolicy(LearnerProtocol.PolicyPublished published)
    {
        if (published.IsOlderThan(_newest))
        {
            _log.Warning("Policy {Version} of epoch {Epoch} refused: {Newest} of epoch {NewestEpoch} is known already.", published.Version, published.Epoch, _newest!.Version, _newest.Epoch);
            return;
        }

        _newest = published;
        Advance();
    }

    private void OnSample(RolloutProtocol.SampleGroup request)
    {
        GroupAttempt attempt = request.Prompted.Attempt;
        _waiting.AddLast(new Job(request, Sender)
        {
            Span = request.Prompted.Trace is not { } group ? null : GhpoTraces.Begin("rollout", group)
                ?.SetTag("ghpo.worker", _name).SetTag("ghpo.attempt", attempt.Attempt).SetTag("ghpo.hint.ratio", attempt.HintRatio),
        });
        Advance();
    }

    private void OnWithdraw(RolloutProtocol.WithdrawGroup withdrawn)
    {
        foreach (Job job in _running.Concat(_waiting).Where(job => job.Request.Prompted.Attempt is var attempt && attempt.Group == withdrawn.Group && attempt.Attempt == withdrawn.Attempt).ToArray())
        {
            if (_running.Remove(job))
            {
                _engine!.Withdraw(job);
            }

            _waiting.Remove(job);
            var cause = new OperationCanceledException($"{job} is not needed any more");
            job.Span?.End(cause);
            job.ReplyTo.Tell(new Status.Failure(cause));
        }

        Advance();
    }

    private void OnDecode()
    {
        _decoding = false;
        try
        {
            foreach (GenerationResult result in _engine!.Step())
            {
                var job = (Job)result.Tag;
                _running.Remove(job);
                GhpoMeters.WorkerGroupDuration.Record(Stopwatch.GetElapsedTime(job.Admitted).TotalSeconds, _tag);
                job.Span?.SetTag("ghpo.policy.version", job.Begun!.Version.Value).SetTag("ghpo.tokens", result.Completions.Sum(completion => completion.Tokens.Length)).End();
                job.ReplyTo.Tell(new RolloutGroup(job.Request.Prompted, result.Completions, job.Begun!.Epoch, job.Begun.Version, _name));
            }
        }
        catch (Exception failure)
        {
            FailAll(failure);
            throw;
        }

        GhpoMeters.WorkerTokens.Add(_engine.TokensSampled - _counted, _tag);
        GhpoMeters.WorkerSequences.Record(_engine.RunningSequences, _tag);
        _counted = _engine.TokensSampled;
        Advance();
    }

    /// <summary>Loads the newest policy if nothing runs, admits what can run, and keeps decoding while anything does.</summary>
    private void Advance()
    {
        try
        {
            if (_newest is not null && _newest != _loaded && (_running.Count == 0 || MaySwitch))
            {
                LoadNewest(_newest.Version);
            }

            if (_loaded is not null && _loaded == _newest)
            {
                Admit(_loaded.Version);
            }
        }
        catch (Exception failure)
        {
            FailAll(failure);
            throw;
        }

        if (_running.Count > 0 && !_decoding)
        {
            _decoding = true;
            Self.Tell(Decode.Token);
        }
    }

    /// <summary>Groups of an older epoch are refused by the ledger; there is no sense in taking them along.</summary>
    private bool MaySwitch => _settings.SwitchInFlight && _newest!.Epoch == _loaded!.Epoch;

    private void LoadNewest(PolicyVersion version)
    {
        try
        {
            _store.Read(version, Load);
        }
        catch (PolicyGoneException) when (_store.Versions.Any(kept => kept > version))
        {
            // Others took whole steps while this worker was busy or had nothing to do. Word of the newer versions is behind this one in the mailbox.
            _log.Info("Policy {Version} is passed over: newer ones have displaced it in the store.", version);
        }
    }

    private void Load(PolicySnapshot policy)
    {
        if (policy.Hash != _newest!.Hash)
        {
            throw new InvalidOperationException(
                $"Policy {_newest.Version} was published with hash {_newest.Hash}, but the store holds {policy.Hash} under that version.");
        }

        if (_running.Count > 0)
        {
            _engine!.SwitchPolicy(policy);
        }
        else
        {
            _engine!.LoadPolicy(policy);
        }

        _loaded = _newest;
        GhpoMeters.WorkerPolicy.Record(_loaded.Version.Value, _tag);
        TellWhatIsLoaded();
    }

    private void TellWhatIsLoaded()
    {
        if (_loaded is not null)
        {
            _listener.Tell(new HeldPolicy(_loaded.Epoch, _loaded.Version, _loaded.Hash));
        }
    }

    private void Admit(PolicyVersion version)
    {
        LinkedListNode<Job>? node = _waiting.First;
        while (node is not null && _engine!.FreeSlots >= _settings.GroupSize)
        {
            LinkedListNode<Job>? next = node.Next;
            if (node.Value.Request.OldestVersion <= version)
            {
                Job job = node.Value;
                _engine.Submit(RequestFor(job));
                job.Admitted = Stopwatch.GetTimestamp();
                job.Span?.AddEvent(new ActivityEvent("admitted"));
                job.Begun = _loaded;
                _waiting.Remove(node);
                _running.Add(job);
            }

            node = next;
        }
    }

    private GenerationRequest RequestFor(Job job)
    {
        PromptedGroup prompted = job.Request.Prompted;
        GroupAttempt attempt = prompted.Attempt;
        return new GenerationRequest(
            job,
            prompted.Prompt,
            _settings.GroupSize,
            SampleSeed.Of(_runSeed, attempt.Group, attempt.Attempt),
            new SamplingOptions(_settings.Temperature, _settings.TopK, _settings.TopP, _settings.MaxNewTokens));
    }

    private RolloutProtocol.RolloutsView Rollouts(bool withTokens)
    {
        ILookup<object, AnswerProgress> answers = _engine!.Progress.ToLookup(answer => answer.Tag);
        return new RolloutProtocol.RolloutsView(_name,
        [
            .. _running.Select(job => new RolloutProtocol.RolloutProgress(
                job.Request.Prompted.Attempt, Running: true, Stopwatch.GetElapsedTime(job.Admitted),
                [
                    .. answers[job].OrderBy(answer => answer.Answer).Select(answer => new RolloutProtocol.AnswerSoFar(
                        answer.Answer, answer.Tokens.Length, answer.Finished, withTokens ? answer.Tokens : [])),
                ])),
            .. _waiting.Select(job => new RolloutProtocol.RolloutProgress(job.Request.Prompted.Attempt, Running: false, TimeSpan.Zero, [])),
        ]);
    }

    private void FailAll(Exception failure)
    {
        foreach (Job job in _running.Concat(_waiting))
        {
            job.Span?.End(failure);
            job.ReplyTo.Tell(new Status.Failure(failure));
        }

        _running.Clear();
        _waiting.Clear();
    }

    private sealed record Job(RolloutProtocol.SampleGroup Request, IActorRef ReplyTo)
    {
        /// <summary>When the engine took it.</summary>
        public long Admitted { get; set; }

        /// <summary>From its arrival to its answer; null: it is not traced.</summary>
        public Activity? Span { get; init; }

        /// <summary>The policy that it was begun under; null before.</summary>
        public LearnerProtocol.PolicyPublished? Begun { get; set; }

        // Two requests are two jobs, whatever they hold; the engine's errors name a job by its group.
        public bool Equals(Job? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

        public override string ToString() => $"group {Request.Prompted.Attempt.Group}, attempt {Request.Prompted.Attempt.Attempt}";
    }

    private sealed class Decode
    {
        public static readonly Decode Token = new();
    }
}
