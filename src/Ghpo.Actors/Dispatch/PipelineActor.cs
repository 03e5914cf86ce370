using Akka.Actor;
using Akka.Streams;
using Ghpo.Difficulty;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Dispatch;

/// <summary>
/// Owns the running streams of a pipeline: they are its children and die with it.
/// <para>
/// Lifecycle: it starts at the learner's next step, ends (stops itself) when the learner has no more steps and every group has settled, and throws
/// if a stage fails. A new one may follow at any time: groups that have settled are in the learner's journal, the others are sampled again.
/// </para>
/// <para>Twice a second it publishes <see cref="RunEvents.PipelineProgress"/>; the streams write counters and never wait for a reader.</para>
/// </summary>
internal sealed class PipelineActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _progressInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>How long journals and stateless actors may take to answer.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly RunContext _run;
    private readonly PipelineTeam _team;
    private readonly CancellationTokenSource _stopped = new();
    private readonly GroupTraces _traces = new();
    private readonly PipelineGauges _gauges;
    private LearnerProtocol.LearnerView? _newest;

    public PipelineActor(RunContext run, PipelineTeam team)
    {
        _run = run;
        _team = team;
        int permits = run.Settings.Dispatch.Permits;
        int deliveries = run.Settings.Verification.Workers;
        // Nodes take answers as they have room; groups wait for them as for workers.
        int verifiers = run.VerifiesOnNodes ? permits : deliveries;
        _gauges = new PipelineGauges(permits, permits, verifiers, permits, deliveries);

        Receive<LearnerProtocol.LearnerView>(view =>
        {
            _newest = view;
            Start(view.Step, verifiers, permits, deliveries);
        });
        Receive<StreamEnded>(ended => OnEnded(ended.Failure));
        Receive<PublishProgress>(_ => _team.Learner.Tell(new LearnerProtocol.GetLearner()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => _team.Learner.Tell(new LearnerProtocol.GetLearner());

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
        _traces.Dispose();
    }

    private void Start(int firstStep, int verifiers, int permits, int deliveries)
    {
        var planning = new StepPlanning(_team.Learner, _team.Curriculum, _team.Hints, _patience, _stopped.Token);
        var pipeline = new GroupPipeline(Stages(verifiers, permits, deliveries), _gauges, permits);
        pipeline.Create(planning.From(firstStep))
            .Run(Context.Materializer(namePrefix: "pipeline"))
            .PipeTo(Self, success: _ => new StreamEnded(null), failure: cause => new StreamEnded(cause));
        Context.System.EventStream.Publish(new RunEvents.RunStarted(
            _run.Name,
            _run.Folder,
            firstStep,
            _run.Settings.Run.Steps,
            _run.Settings.Run.TokenBudget,
            _run.Problems.Train.Count,
            _run.Problems.HeldOut.Count,
            SkippedRow.Describe(_run.Problems.Skipped)));
        Become(Running);
        Timers.StartPeriodicTimer("progress", new PublishProgress(), _progressInterval);
    }

    private void Running()
    {
        Receive<StreamEnded>(ended => OnEnded(ended.Failure));
        Receive<PublishProgress>(_ => _team.Learner.Tell(new LearnerProtocol.GetLearner()));
        Receive<LearnerProtocol.LearnerView>(view =>
        {
            _newest = view;
            Publish(view);
        });
    }

    private void Publish(LearnerProtocol.LearnerView view) => Context.System.EventStream.Publish(new RunEvents.PipelineProgress(
        view.Step, view.SettledGroups, view.SettledGroups + view.GroupsAwaited, view.Activity, _gauges.TokensSampled, _gauges.Read(), view.Steps, view.TokenBudget));

    private PipelineStages Stages(int verifiers, int permits, int deliveries)
    {
        int staleness = _run.Settings.Rollout.Staleness;
        return new PipelineStages(
            Prompt: attempt =>
            {
                _traces.Enter(attempt);
                return _run.Prompts.Build(attempt, _run.ProblemsById[attempt.Problem]) with { Trace = _traces.Of(attempt.Group) };
            },
            Sample: async prompted =>
            {
                // No deadline: leases have one, and a cluster may have to wait for a worker.
                var oldest = new PolicyVersion(Math.Max(0, prompted.Attempt.Group.Step - staleness));
                RolloutGroup sampled = await _team.Dispatcher.Ask<RolloutGroup>(
                    new DispatchProtocol.SampleGroup(prompted, oldest, _run.Time.GetTimestamp()), Timeout.InfiniteTimeSpan, _stopped.Token).ConfigureAwait(false);
                _gauges.CountTokens(sampled);
                return sampled;
            },
            VerifierParallelism: verifiers,
            // Where nodes verify, leases have a deadline, and groups may have to wait for their turn.
            Verify: group => Traced("verify", group.Prompted, _team.Verifiers.Ask<VerifiedGroup>(
                new VerifyGroup(group), _run.VerifiesOnNodes ? Timeout.InfiniteTimeSpan : _patience, _stopped.Token)),
            // A hard group waits for the hint schedule's journal, which writes all that wait at once.
            ClassifierParallelism: permits,
            Classify: group => Traced("classify", group.Rollout.Prompted, _team.Classifier.Ask<Classified>(new ClassifyGroup(group), _patience, _stopped.Token)),
            DeliveryParallelism: deliveries,
            Deliver: DeliverAsync);
    }

    private Task<T> Traced<T>(string stage, PromptedGroup group, Task<T> work) => _traces.During(stage, group.Attempt.Group, group.Attempt.Attempt, work);

    private async Task<Settled> DeliverAsync(Settled settled)
    {
        SettledGroup group = settled.Group;
        object answer = await _traces.During(
            "settle", group.Group, group.Attempt, _team.Learner.Ask<object>(new LearnerProtocol.SettleGroup(group, settled.Worker), _patience, _stopped.Token)).ConfigureAwait(false);
        if (answer is LearnerProtocol.GroupRefused refused)
        {
            throw new InvalidOperationException($"The learner refused group {refused.Group}: {refused.Reason}");
        }

        _traces.Settled(group);
        return settled;
    }

    private void OnEnded(Exception? failure)
    {
        if (failure is not null)
        {
            throw new PipelineFailedException(failure);
        }

        // What was told last may have had groups inside.
        if (_newest is { } view)
        {
            Publish(view);
        }

        Context.Stop(Self);
    }

    private sealed record StreamEnded(Exception? Failure);

    private sealed record PublishProgress;
}

/// <summary>The actors that the stages of a pipeline stand for.</summary>
internal sealed record PipelineTeam(
    IActorRef Learner,
    IActorRef Curriculum,
    IActorRef Hints,
    IActorRef Classifier,
    IActorRef Verifiers,
    IActorRef Dispatcher);

/// <summary>A stage of the pipeline failed; the cause says how.</summary>
public sealed class PipelineFailedException(Exception cause) : Exception(cause.Message, cause);
