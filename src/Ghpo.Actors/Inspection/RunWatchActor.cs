using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Rollout;
using static Ghpo.Inspection.RunEvents;

namespace Ghpo.Inspection;

/// <summary>
/// Watches a run from beside it: follows its events, asks each member every second how it is, and says who waits for whom. It never waits for an answer and
/// nobody waits for it, so that it sees what stands still.
/// <para>Lifecycle: from the node's start to its end; started before the run, so that no event is missed. Failure: it holds nothing that the run needs; started
/// again it has forgotten earlier steps of this process, which are in the journal.</para>
/// </summary>
public sealed class RunWatchActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);
    private static readonly Type[] _events =
    [
        typeof(RunStarted), typeof(StepCompleted), typeof(PolicyMeasured), typeof(CheckpointWritten), typeof(PipelineProgress), typeof(RunEnded), typeof(TrainerProgress),
    ];

    private readonly IActorRef _run;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private StallWatch _watch;
    private RunProgress _progress = RunProgress.None;
    private DateTimeOffset? _checkpointAt;
    private ImmutableSortedDictionary<string, IActorRef> _members = ImmutableSortedDictionary<string, IActorRef>.Empty;
    private string? _stall;

    /// <param name="run">The run's actor, or a proxy of it.</param>
    public RunWatchActor(IActorRef run, TimeProvider time)
    {
        _run = run;
        _time = time;
        _watch = StallWatch.New(time.GetUtcNow());

        Receive<Look>(_ => Ask());
        Receive<RunProtocol.TeamView>(OnTeam);
        Receive<LearnerProtocol.LearnerView>(view => _watch = _watch.Heard(view, Now));
        Receive<CurriculumProtocol.CurriculumView>(_ => _watch = _watch.Heard(StallWatch.CurriculumName, "planning", 0, 0, Now));
        Receive<HintProtocol.HintView>(_ => _watch = _watch.Heard(StallWatch.HintsName, "scheduling", 0, 0, Now));
        Receive<RolloutProtocol.WorkerView>(view => _watch = _watch.Heard(
            Sender.Path.Name,
            view.RunningGroups > 0 ? "decode" : view.Version is null ? "loading its first policy" : view.WaitingGroups > 0 ? "waiting for a newer policy" : "idle",
            view.RunningGroups + view.WaitingGroups,
            view.TokensSampled,
            Now));
        Receive<WorkerProtocol.WorkersView>(view =>
        {
            _watch = _watch.Heard(view, Now);
            Context.System.EventStream.Publish(new WorkersSeen(view));
        });
        Receive<VerificationProtocol.VerifiersView>(view => _watch = _watch.Heard(view, Now));
        Receive<TrainerProgress>(progress => _watch = _watch.Heard(progress, Now));
        Receive<PipelineProgress>(progress =>
        {
            _watch = _watch.Heard(progress, Now);
            _progress = _progress.Apply(progress);
        });
        Receive<CheckpointWritten>(_ => _checkpointAt = Now);
        Receive<RunEnded>(ended =>
        {
            _watch = _watch.Over(ended);
            _progress = _progress.Apply(ended);
        });
        Receive<RunStarted>(told => _progress = _progress.Apply(told));
        Receive<StepCompleted>(told => _progress = _progress.Apply(told));
        Receive<PolicyMeasured>(told => _progress = _progress.Apply(told));
        Receive<GetWatch>(_ => Sender.Tell(new WatchView(_progress, _watch, _watch.Diagnose(Now), _checkpointAt, Now)));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private DateTimeOffset Now => _time.GetUtcNow();

    public static Props Props(IActorRef run, TimeProvider time) => Akka.Actor.Props.Create(() => new RunWatchActor(run, time));

    protected override void PreStart()
    {
        foreach (Type kind in _events)
        {
            Context.System.EventStream.Subscribe(Self, kind);
        }

        Timers.StartPeriodicTimer(nameof(Look), new Look(), _interval);
    }

    private void Ask()
    {
        Report(_watch.Diagnose(Now));
        _watch = _watch.Asked(StallWatch.RunName, Now);
        _run.Tell(new RunProtocol.GetTeam());
    }

    private void OnTeam(RunProtocol.TeamView team)
    {
        _watch = _watch.Heard(StallWatch.RunName, "supervising", 0, 0, Now);
        if (team.Members.IsEmpty)
        {
            _watch = _watch.Regroups(team.Failure ?? "a member failed", Now);
            return;
        }

        if (!_members.Values.SequenceEqual(team.Members.Values))
        {
            // Another team: what the one before did not answer is no silence of this one.
            _members = team.Members;
            _watch = _watch.Only([StallWatch.RunName]);
        }

        foreach ((string name, IActorRef member) in _members)
        {
            object? question = name switch
            {
                StallWatch.LearnerName => new LearnerProtocol.GetLearner(),
                StallWatch.HintsName => new HintProtocol.GetHints(),
                StallWatch.CurriculumName => new CurriculumProtocol.GetCurriculum(),
                StallWatch.DispatcherName => new WorkerProtocol.GetWorkers(),
                StallWatch.VerificationName => new VerificationProtocol.GetVerifiers(),
                _ when name.StartsWith("rollout-", StringComparison.Ordinal) => new RolloutProtocol.GetWorker(),
                _ => null,
            };
            // One question at a time: a member that is silent must not find a heap of them when it comes back.
            if (question is not null && _watch.Members.GetValueOrDefault(name)?.Asked is null)
            {
                _watch = _watch.Asked(name, Now);
                member.Tell(question);
            }
        }
    }

    /// <summary>Told once for each who is at fault, so that a stall that goes on in somebody else is told again.</summary>
    private void Report(Diagnosis diagnosis)
    {
        if (diagnosis.Stalled && _stall != diagnosis.Culprit)
        {
            _stall = diagnosis.Culprit;
            _log.Warning("Stall: {Sentence}", diagnosis.Sentence);
            Context.System.EventStream.Publish(new Stalled(diagnosis.Sentence, Over: false));
        }
        else if (!diagnosis.Stalled && _stall is not null)
        {
            _log.Warning("The stall of {Culprit} is over: {Sentence}", _stall, diagnosis.Sentence);
            Context.System.EventStream.Publish(new Stalled(diagnosis.Sentence, Over: true));
            _stall = null;
        }
    }

    /// <summary>Query, answered by <see cref="WatchView"/>.</summary>
    public sealed record GetWatch;

    /// <param name="Progress">What this process has told of the run.</param>
    /// <param name="CheckpointAt">When this process last took one; null: it has not yet.</param>
    /// <param name="At">When this was said.</param>
    public sealed record WatchView(RunProgress Progress, StallWatch Watch, Diagnosis Diagnosis, DateTimeOffset? CheckpointAt, DateTimeOffset At);

    private sealed record Look;
}
