using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Tests.Learning;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>
/// The run's supervision, with members that do as they are told. Time is the test's, and once started every actor runs on the thread of its sender,
/// so all that follows from a message has happened when it has been sent.
/// </summary>
public sealed class RunActorTests : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create("run-actor-tests", ConfigurationFactory.ParseString("""
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit"
        akka.actor.default-dispatcher.type = "Akka.TestKit.CallingThreadDispatcherConfigurator, Akka.TestKit"
        """).WithFallback(TestKitBase.DefaultConfig));

    private readonly List<RunTeam> _teams = [];
    private readonly List<object> _learnerHeard = [];
    private readonly List<RunEvents.RunEnded> _ended = [];
    private readonly Hold _hold = new();

    private TestScheduler Scheduler => (TestScheduler)_system.Scheduler;

    public void Dispose() => _system.Dispose();

    [Fact]
    public async Task A_member_that_fails_makes_the_whole_team_start_again_after_a_pause()
    {
        await Start();
        Fail(new IOException("the disk is full"));
        Assert.Single(_teams);

        Scheduler.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _teams.Count);
        Assert.Empty(_ended);
    }

    [Fact]
    public async Task A_team_that_fails_every_time_ends_the_run_with_its_cause()
    {
        await Start();
        for (int life = 1; life <= 4; life++)
        {
            Assert.Empty(_ended);
            Fail(new IOException($"the disk is full for the {life}. time"));
            Scheduler.Advance(TimeSpan.FromSeconds(life));
        }

        Assert.Equal(4, _teams.Count);
        RunEvents.RunEnded ended = Assert.Single(_ended);
        Assert.Equal((RunOutcome.Failed, "the disk is full for the 4. time"), (ended.Outcome, ended.Reason));
    }

    [Fact]
    public async Task A_committed_step_between_two_failures_starts_the_count_again()
    {
        await Start();
        for (int life = 1; life <= 6; life++)
        {
            Fail(new IOException("now and then"));
            Scheduler.Advance(TimeSpan.FromSeconds(2));
            _system.EventStream.Publish(new RunEvents.StepCompleted(LearnerFixtures.Committed(life).Report));
        }

        Assert.Equal(7, _teams.Count);
        Assert.Empty(_ended);
    }

    [Fact]
    public async Task A_failure_that_would_come_again_ends_the_run_at_once_however_it_is_wrapped()
    {
        await Start();
        _system.EventStream.Publish(new RunEvents.StepCompleted(LearnerFixtures.Committed(4).Report));
        Fail(new PipelineFailedException(new AggregateException(new NonFiniteLogitsException("logits of group 5/3 are NaN"))));
        Scheduler.Advance(TimeSpan.FromSeconds(10));

        Assert.Single(_teams);
        RunEvents.RunEnded ended = Assert.Single(_ended);
        Assert.Equal((RunOutcome.Failed, 5, "logits of group 5/3 are NaN"), (ended.Outcome, ended.Steps, ended.Reason));
    }

    [Fact]
    public async Task A_user_s_mistake_in_the_making_of_a_member_ends_the_run_at_once()
    {
        IActorRef run = await Start(() => throw new UserErrorException("set another device"));

        // The failure comes while the run starts, on the thread that starts it: the run has heard of it when it has ended.
        await run.WatchAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Scheduler.Advance(TimeSpan.FromSeconds(10));

        Assert.Single(_teams);
        Assert.Equal("set another device", Assert.Single(_ended).Reason);
    }

    [Fact]
    public async Task A_learner_that_sees_its_trainer_go_while_the_team_is_stopped_does_not_end_the_run()
    {
        await Start();
        Fail(new IOException("the disk is full"));
        Scheduler.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(_ended);
        Assert.Equal(2, _teams.Count);
    }

    [Fact]
    public async Task A_pipeline_that_has_nothing_left_to_do_is_no_failure()
    {
        await Start();
        _teams[0].Pipeline.Tell(PoisonPill.Instance);
        Scheduler.Advance(TimeSpan.FromSeconds(10));

        Assert.Single(_teams);
        Assert.Empty(_ended);
    }

    [Fact]
    public async Task A_stop_that_is_asked_for_while_the_team_is_gone_reaches_the_next_learner()
    {
        IActorRef run = await Start();
        Fail(new IOException("the disk is full"));
        run.Tell(new RunProtocol.StopRun());
        Assert.Empty(_learnerHeard);

        Scheduler.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<LearnerProtocol.StopAfterStep>(Assert.Single(_learnerHeard));
    }

    [Fact]
    public async Task A_journal_that_does_not_answer_is_waited_for_and_counts_as_one_failure()
    {
        await Start();
        _hold.State = new HoldState.Unreachable("the database is away");
        Fail(new IOException("no write"));
        for (int second = 0; second < 60; second++)
        {
            Scheduler.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Single(_teams);
        Assert.Empty(_ended);

        _hold.State = new HoldState.Held(2);
        Scheduler.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, _teams.Count);
        Scheduler.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, _teams.Count);
        Assert.Empty(_ended);
    }

    [Fact]
    public async Task A_run_that_is_asked_to_stop_does_not_wait_for_its_journal()
    {
        IActorRef run = await Start();
        _hold.State = new HoldState.Unreachable("the database is away");
        Fail(new IOException("no write"));
        run.Tell(new RunProtocol.StopRun());
        Scheduler.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal((RunOutcome.Failed, "the database is away"), (Assert.Single(_ended).Outcome, _ended[0].Reason));
    }

    [Fact]
    public async Task A_hold_that_was_lost_for_a_while_makes_the_team_read_the_journal_again()
    {
        await Start();
        _hold.State = new HoldState.Held(2);
        Scheduler.Advance(TimeSpan.FromSeconds(1));
        Scheduler.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _teams.Count);

        Scheduler.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, _teams.Count);
        Assert.Empty(_ended);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_that_another_process_has_taken_over_ends_here(bool whileItWorks)
    {
        await Start();
        if (!whileItWorks)
        {
            Fail(new IOException("this sequence number is written"));
        }

        _hold.State = new HoldState.Taken("it was taken over by process 7 on another machine");
        Scheduler.Advance(TimeSpan.FromSeconds(1));
        Scheduler.Advance(TimeSpan.FromSeconds(1));

        Assert.Single(_teams);
        Assert.Equal((RunOutcome.Failed, "it was taken over by process 7 on another machine"), (Assert.Single(_ended).Outcome, _ended[0].Reason));
    }

    private async Task<IActorRef> Start(Action? onWorkerStart = null)
    {
        IActorRef listener = _system.ActorOf(Props.Create(() => new Member(message => _ended.Add((RunEvents.RunEnded)message), null)));
        await Started(listener);
        _system.EventStream.Subscribe(listener, typeof(RunEvents.RunEnded));

        GhpoSettings settings = SettingsBinder.Load(null, []);
        var context = new RunContext(
            "tested", "", settings, new ProblemSet("none", [], []), null!, null!, null!, null!, null!, null!, TimeProvider.System)
        { Setup = null!, Hold = _hold };
        IActorRef run = _system.ActorOf(Props.Create(() => new RunActor(context, (parent, _) => Assemble(parent, onWorkerStart))), "run");
        await Started(run);
        return run;
    }

    private static Task Started(IActorRef actor) => actor.Ask<ActorIdentity>(new Identify(null)).WaitAsync(TimeSpan.FromSeconds(20));

    private RunTeam Assemble(IActorRefFactory parent, Action? onWorkerStart)
    {
        IActorRef trainer = parent.ActorOf(Props.Create(() => new Member(null, null)), "trainer");
        IActorRef learner = parent.ActorOf(Props.Create(() => new WatchingLearner(trainer, _learnerHeard.Add)), "learner");
        IActorRef worker = parent.ActorOf(Props.Create(() => new Member(null, onWorkerStart)), "worker");
        IActorRef pipeline = parent.ActorOf(Props.Create(() => new Member(null, null)), "pipeline");
        _teams.Add(new RunTeam(learner, pipeline, ActorRefs.Nobody, [trainer, learner, worker, pipeline]));
        return _teams[^1];
    }

    private void Fail(Exception failure) => _teams[^1].Members[2].Tell(failure);

    private sealed class Hold : IJournalHold
    {
        public HoldState State { get; set; } = new HoldState.Held(1);

        public Task<HoldState> CheckAsync() => Task.FromResult(State);

        public void Dispose()
        {
        }
    }

    /// <summary>Throws the exception it is told, and hands everything else on.</summary>
    private sealed class Member : ReceiveActor
    {
        private readonly Action? _onStart;

        public Member(Action<object>? heard, Action? onStart)
        {
            _onStart = onStart;
            Receive<Exception>(failure => throw failure);
            ReceiveAny(message => heard?.Invoke(message));
        }

        protected override void PreStart() => _onStart?.Invoke();
    }

    /// <summary>Ends the run, as the real one does, if its trainer goes.</summary>
    private sealed class WatchingLearner : ReceiveActor
    {
        public WatchingLearner(IActorRef trainer, Action<object> heard)
        {
            Context.Watch(trainer);
            Receive<Terminated>(_ =>
            {
                var ended = new RunEvents.RunEnded(RunOutcome.Failed, 0, "the trainer has stopped", null);
                Context.System.EventStream.Publish(ended);
                Context.Parent.Tell(ended);
            });
            ReceiveAny(heard);
        }
    }
}
