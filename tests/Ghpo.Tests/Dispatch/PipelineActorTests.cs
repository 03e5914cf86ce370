using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Difficulty;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Tests.Runs;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>What the pipeline makes of members that answer with a failure, as those of a real team do.</summary>
public sealed class PipelineActorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ActorSystem _system = ActorSystem.Create("pipeline-actor-tests", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF");
    private readonly TinyRun _tiny = new();
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose()
    {
        _system.Dispose();
        _tiny.Dispose();
    }

    [Fact]
    public async Task A_worker_s_failure_is_the_cause_of_the_pipeline_s()
    {
        Run(worker: _ => new Status.Failure(new NonFiniteLogitsException("logits of group 0/0 are NaN")));

        Exception failure = await _failed.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.IsType<PipelineFailedException>(failure);
        Assert.Equal("logits of group 0/0 are NaN", Assert.IsType<NonFiniteLogitsException>(failure.GetBaseException()).Message);
    }

    [Fact]
    public async Task A_group_that_the_learner_refuses_fails_the_pipeline_with_group_and_reason()
    {
        Run(
            worker: request => new RolloutGroup(request.Prompted, [new Completion([65], [-1], FinishReason.Stopped)], 1, new PolicyVersion(0), "worker"),
            learner: settle => new LearnerProtocol.GroupRefused(settle.Group.Group, "it was sampled before this epoch"));

        Exception failure = await _failed.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal("The learner refused group 0/0: it was sampled before this epoch", failure.GetBaseException().Message);
    }

    [Fact]
    public async Task A_pipeline_that_ends_says_last_that_no_group_is_inside()
    {
        var told = new TaskCompletionSource<RunEvents.PipelineProgress>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef listener = _system.ActorOf(Props.Create(() => new Listening(told)));
        _system.EventStream.Subscribe(listener, typeof(RunEvents.PipelineProgress));
        Run(
            worker: request => new RolloutGroup(request.Prompted, [new Completion([65], [-1], FinishReason.Stopped)], 1, new PolicyVersion(0), "worker"),
            learner: settle => new LearnerProtocol.GroupAccepted(settle.Group.Group));

        RunEvents.PipelineProgress last = await told.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.All(last.Stages, stage => Assert.Equal(0, stage.Groups));
    }

    private void Run(Func<DispatchProtocol.SampleGroup, object> worker, Func<LearnerProtocol.SettleGroup, object>? learner = null)
    {
        GhpoSettings settings = _tiny.Settings();
        (RunContext run, _) = TinyRun.Create(_tiny.NewFolder(), settings);
        var group = new PlannedGroup(new GroupId(0, 0), run.Problems.Train[0].Id);
        var team = new PipelineTeam(
            Answers(message => message switch
            {
                LearnerProtocol.GetLearner => new LearnerProtocol.LearnerView(1, 0, new PolicyVersion(0), 0, 1, 0, "sampling"),
                LearnerProtocol.OpenStep { Step: 0 } => new LearnerProtocol.StepOpened(0, 1, new PolicyVersion(0), []),
                LearnerProtocol.SettleGroup settle => learner!(settle),
                _ => new LearnerProtocol.NoMoreSteps(1),
            }),
            Answers(_ => new CurriculumProtocol.StepPlan(0, [group])),
            Answers(_ => new HintProtocol.GroupsOpened([new GroupAttempt(group.Group, group.Problem, 0, 0)])),
            Answers(message => new Settled(SettledAs(((ClassifyGroup)message).Group), "rollout-0")),
            Answers(message => new VerifiedGroup(((VerifyGroup)message).Group, [])),
            Answers(message => worker((DispatchProtocol.SampleGroup)message)));
        _system.ActorOf(Props.Create(() => new Parent(Props.Create(() => new PipelineActor(run, team)), _failed)));
    }

    private static SettledGroup SettledAs(VerifiedGroup group)
    {
        GroupAttempt attempt = group.Rollout.Prompted.Attempt;
        return new SettledGroup(
            attempt.Group, attempt.Problem, Settlement.Unsolved, 0, 0, false, group.Rollout.Prompted.Prompt, [], [], 0, 1, new PolicyVersion(0));
    }

    private IActorRef Answers(Func<object, object> answer) => _system.ActorOf(Props.Create(() => new Answering(answer)));

    private sealed class Answering : ReceiveActor
    {
        public Answering(Func<object, object> answer) => ReceiveAny(message => Sender.Tell(answer(message)));
    }

    /// <summary>Waits for word of a group that went through all stages.</summary>
    private sealed class Listening : ReceiveActor
    {
        public Listening(TaskCompletionSource<RunEvents.PipelineProgress> told) => Receive<RunEvents.PipelineProgress>(progress =>
        {
            if (progress.Stages[^1].Passed == 1)
            {
                told.TrySetResult(progress);
            }
        });
    }

    /// <summary>Reports what its child threw.</summary>
    private sealed class Parent(Props child, TaskCompletionSource<Exception> failed) : UntypedActor
    {
        protected override void PreStart() => Context.ActorOf(child);

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(failure =>
        {
            failed.TrySetResult(failure);
            return Directive.Stop;
        });

        protected override void OnReceive(object message)
        {
        }
    }
}
