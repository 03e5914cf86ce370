using System.Collections.Immutable;
using Akka.Actor;
using Akka.Pattern;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Tests.Journal;
using Xunit;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Learning;

/// <summary>
/// A whole run of the three persistent actors and the trainer's on a real journal, with a plain loop in place of rollout: it samples what the
/// learner opens, climbs the hints, settles, and asks again wherever nobody answers.
/// </summary>
internal sealed class LearnerRun : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly JournalHost _host;
    private readonly TaskCompletionSource<RunEvents.RunEnded> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LearnerRun(JournalHost host, LearnerRunOptions options, string folder)
    {
        _host = host;
        Options = options;
        ActorSystem system = host.System;
        IActorRef listener = system.ActorOf(Props.Create(() => new Listener(_ended, Published)));
        system.EventStream.Subscribe(listener, typeof(RunEvents.RunEnded));

        ImmutableArray<ProblemId> problems = [.. Enumerable.Range(0, options.Problems).Select(index => new ProblemId($"p{index}"))];
        Curriculum = Supervised(CurriculumActor.Props(new CurriculumSettings(options.Groups, ProblemOrder.Shuffled), 7, problems), "curriculum");
        Hints = Supervised(HintScheduleActor.Props(options.Hints, options.Staleness), "hints");
        IActorRef trainer = system.ActorOf(TrainerActor.Props(options.Trainer, snapshot => snapshot.Dispose(), () => { }));
        GhpoSettings defaults = SettingsBinder.Load(null, []);
        GhpoSettings started = defaults with
        {
            Run = defaults.Run with { Steps = options.Steps, TokenBudget = options.TokenBudget, Deterministic = options.Deterministic },
            Curriculum = defaults.Curriculum with { GroupsPerStep = options.Groups },
            Rollout = defaults.Rollout with { Staleness = options.Staleness },
            Hints = options.Hints,
            Rewards = LearnerFixtures.Rewards,
            Checkpoints = new CheckpointSettings(options.CheckpointEvery, 2),
            Evaluation = new EvaluationSettings(true, 2, 0, 1),
        };
        Learner = Supervised(LearnerActor.Props(new ControlledSettings(started, options.Requests, folder), Curriculum, Hints, trainer, TimeProvider.System), "learner");
        Learner.Tell(new SubscribeToPolicy(listener));
    }

    public LearnerRunOptions Options { get; }

    public IActorRef Curriculum { get; }

    public IActorRef Hints { get; }

    public IActorRef Learner { get; }

    public ImmutableList<PolicyPublished> Publications { get; private set; } = [];

    public Task<RunEvents.RunEnded> Ended => _ended.Task.WaitAsync(TimeSpan.FromSeconds(20));

    /// <param name="journalOf">The run folder whose journal is taken, lock or no lock; null: this one's.</param>
    internal static async Task<LearnerRun> Start(string folder, LearnerRunOptions options, KillSwitch? killSwitch = null, string? journalOf = null)
    {
        var run = new LearnerRun(await JournalHost.Start(journalOf ?? folder, killSwitch, held: journalOf is null), options, folder);
        killSwitch?.Victim = () => Child(options.Victim switch
        {
            CurriculumActor.JournalId => run.Curriculum,
            HintScheduleActor.JournalId => run.Hints,
            _ => run.Learner,
        });
        return run;
    }

    /// <summary>A run from its start to its end, in a folder that may hold an earlier part of it.</summary>
    internal static async Task<RunEvents.RunEnded> Complete(string folder, LearnerRunOptions options, KillSwitch? killSwitch = null)
    {
        await using LearnerRun run = await Start(folder, options, killSwitch);
        await run.Sample();
        return await run.Ended;
    }

    /// <summary>Samples step by step until there are no more.</summary>
    internal async Task Sample(int steps = int.MaxValue)
    {
        int first = (await Ask<LearnerView>(Learner, new GetLearner())).Step;
        for (int step = first; step - first < steps; step++)
        {
            while (true)
            {
                object answer = await Ask<object>(Learner, new OpenStep(step));
                if (answer is NoMoreSteps)
                {
                    return;
                }

                var opened = Assert.IsType<StepOpened>(answer);
                if (opened.Settled.Count == Options.Groups)
                {
                    break;
                }

                StepPlan plan = await Ask<StepPlan>(Curriculum, new PlanStep(step));
                PlannedGroup[] open = [.. plan.Groups.Where(group => !opened.Settled.Contains(group.Group.Index))];
                bool settled = true;
                foreach (PlannedGroup group in Options.Reversed ? open.Reverse() : open)
                {
                    settled &= await SampleGroup(group, opened);
                }

                if (settled)
                {
                    break;
                }
            }
        }
    }

    /// <summary>Waits until so many steps are committed.</summary>
    internal async Task Committed(int steps)
    {
        while ((await Ask<LearnerView>(Learner, new GetLearner())).Step < steps)
        {
            await Task.Delay(5);
        }
    }

    /// <summary>Opens a step, as a first rollout of it would.</summary>
    internal async Task Opened(int step) => Assert.IsType<StepOpened>(await Ask<object>(Learner, new OpenStep(step)));

    /// <summary>The hashes of the weights after each committed step.</summary>
    internal static ImmutableArray<string> Hashes(string folder) =>
        [.. Journal(folder).Events(LearnerActor.JournalId).OfType<StepCommitted>().Select(committed => committed.PolicyHash)];

    internal static JournalReader Journal(string folder) => TestJournal.Reader(folder);

    internal static void CheckJournal(string folder, int staleness = 0) => Assert.Empty(JournalCheck.Of(
        Journal(folder).Events(CurriculumActor.JournalId), Journal(folder).Events(LearnerActor.JournalId), staleness));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    /// <returns>False if the learner has begun another epoch.</returns>
    private async Task<bool> SampleGroup(PlannedGroup planned, StepOpened opened)
    {
        GroupAttempt attempt = (await Ask<GroupsOpened>(Hints, new OpenGroups([planned]))).Attempts[0];
        Settlement settlement = Settlement.Solved;
        while (!Solves(attempt))
        {
            object raised = await Ask<object>(Hints, new RaiseHint(attempt, 7));
            if (raised is HintGiven given)
            {
                attempt = given.Next;
            }
            else
            {
                Assert.IsType<LadderExhausted>(raised);
                settlement = Settlement.Unsolved;
                break;
            }
        }

        SettledGroup group = LearnerFixtures.Group(
            attempt.Group, attempt.Problem, opened.Version.Value, attempt.Attempt, attempt.HintRatio, opened.Epoch, settlement);
        return await Ask<object>(Learner, new SettleGroup(group, "rollout-0")) is GroupAccepted;
    }

    /// <summary>A third of the problems needs no hint, a third needs 0.5, and a third is never solved.</summary>
    private static bool Solves(GroupAttempt attempt) => (attempt.Problem.Value[^1] % 3) switch
    {
        0 => true,
        1 => attempt.HintRatio >= 0.5,
        _ => false,
    };

    private static async Task<T> Ask<T>(IActorRef actor, object message)
    {
        for (int attempt = 0; attempt < 40; attempt++)
        {
            try
            {
                return await actor.Ask<T>(message, Patience);
            }
            catch (AskTimeoutException)
            {
                // Its actor has died with the message, or the answer is not due yet.
            }
        }

        throw new TimeoutException($"{actor} never answered {message}");
    }

    private static async Task<IActorRef> Child(IActorRef supervisor) =>
        (await supervisor.Ask<BackoffSupervisor.CurrentChild>(BackoffSupervisor.GetCurrentChild.Instance)).Ref;

    private IActorRef Supervised(Props props, string name) => _host.System.ActorOf(
        BackoffSupervisor.Props(Backoff.OnStop(props, name, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(50), 0, -1)), name);

    private void Published(PolicyPublished policy) => Publications = Publications.Add(policy);

    private sealed class Listener : ReceiveActor
    {
        public Listener(TaskCompletionSource<RunEvents.RunEnded> ended, Action<PolicyPublished> published)
        {
            Receive<RunEvents.RunEnded>(message => ended.TrySetResult(message));
            Receive(published);
        }
    }
}

/// <param name="Victim">Persistence id of the actor that a kill switch stops.</param>
internal sealed record LearnerRunOptions(
    int Steps = 3,
    int Groups = 3,
    int Problems = 5,
    int Staleness = 0,
    int CheckpointEvery = 2,
    long TokenBudget = 0,
    bool Reversed = false,
    bool Deterministic = true,
    string Victim = LearnerActor.JournalId)
{
    public HintSettings Hints { get; init; } = new(HintStrategy.Ladder, [0.25, 0.5], 0.5, HintUnit.Characters, 0);

    /// <summary>What is asked to be changed when the process begins.</summary>
    public ImmutableArray<ControlRequest> Requests { get; init; } = [];

    public Func<IPolicyTrainer> Trainer { get; init; } = () => new LearnerFakeTrainer();
}
