using System.Collections.Immutable;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Tests.Runs;
using Ghpo.Verification;
using Xunit;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Tests.Dispatch;

/// <summary>Verification on another node, with real sessions between two systems.</summary>
public sealed class VerifierNodeTests : TwoNodesTests
{
    private static readonly string[] Answers =
    [
        "\\boxed{0}", "so it is \\boxed{\\frac{2}{2}}", "\\boxed{1}", "#### 3", "no answer at all", "\\boxed{", "<think>\\boxed{2}", "\\boxed{\\sqrt{16}} é", "", "The answer is 2.",
    ];

    /// <summary>Judgements that fit between a node and a learner that hears none, its buffer being one.</summary>
    private const int Returning = 4;

    private readonly ManualTime _time = new();
    private int _judgedHere;

    [Fact]
    public async Task A_node_s_judgements_are_the_learner_s_own_to_the_letter_and_the_learner_judges_none_of_them()
    {
        (IActorRef verification, RolloutGroup[] groups, VerifiedGroup[] own) = await JudgedByTheLearner(12);
        Assert.Equal(groups.Length, _judgedHere);

        IActorRef door = await Nodes.FromNode(verification);
        var node = new NodeContext("v", Tiny.Settings("verification.workers=3"), new NoPlane(), Tiny.NewFolder(), null);
        Nodes.Node.ActorOf(Props.Create(() => new VerifierSessionActor(node, door)));
        await UntilNodesJudge(verification, groups[0]);
        int before = _judgedHere;
        VerifiedGroup[] there = await Verify(verification, groups);

        Assert.Equal(before, _judgedHere);
        RequireSame(own, there);
        Assert.Contains(there.SelectMany(group => group.Judgements), judgement => judgement.Verdict == Verdict.Correct);
        Assert.Contains(there.SelectMany(group => group.Judgements), judgement => judgement.Verdict == Verdict.VerifierFailed);
    }

    [Fact]
    public Task What_a_lost_node_had_in_hand_is_judged_by_the_learner() => RequireJudgedByTheLearnerAfter(Nodes.LoseAsync);

    [Fact]
    public Task What_a_node_keeps_past_its_lease_is_judged_by_the_learner() => RequireJudgedByTheLearnerAfter(() =>
    {
        _time.Elapsed = VerificationActor.Deadline;
        return Task.CompletedTask;
    });

    /// <summary>The learner's stream has endless answers and hears no judgement, so all that the node takes stays somewhere: in its hands, on the way there, or on the way back.</summary>
    [Fact]
    public async Task So_many_answers_are_under_way_to_a_node_as_it_says_and_not_as_many_as_a_stream_would_take()
    {
        const int AtATime = 3;
        int taken = 0;
        int offers = 0;
        var silence = new TaskCompletionSource<int>();
        IMaterializer materializer = Nodes.Learner.Materializer();
        IActorRef learner = Nodes.Learner.ActorOf(Hearer.Props((_, _) => { }), "learner");
        IActorRef run = Nodes.Learner.ActorOf(Hearer.Props((message, sender) =>
        {
            if (message is OfferVerifier offer && offers++ == 0)
            {
                _ = WelcomeAsync(offer);
            }
        }), "run");
        IActorRef door = await Nodes.FromNode(run);
        var node = new NodeContext("v", Tiny.Settings($"verification.workers={AtATime}"), new NoPlane(), Tiny.NewFolder(), null);
        Nodes.Node.ActorOf(Props.Create(() => new VerifierSessionActor(node, door)));

        int before;
        do
        {
            before = Volatile.Read(ref taken);
            await Task.Delay(500, Stop);
        }
        while (before == 0 || before != Volatile.Read(ref taken));
        Assert.InRange(taken, VerifierSessionActor.Underway, VerifierSessionActor.Underway + AtATime + Returning);

        async Task WelcomeAsync(OfferVerifier offer)
        {
            var key = new AnswerKey(new WorkKey(new GroupId(0, 0), 0), 0);
            ISourceRef<AnswerToJudge> work = await Source.Repeat(new AnswerToJudge(key, new ProblemId("p"), "1", "\\boxed{1}", FinishReason.Stopped))
                .Select(answer =>
                {
                    Interlocked.Increment(ref taken);
                    return answer;
                })
                .RunWith(StreamRefs.SourceRef<AnswerToJudge>(), materializer);
            ISinkRef<AnswerJudged> judged = await StreamRefs.SinkRef<AnswerJudged>().WithAttributes(StreamRefAttributes.CreateBufferCapacity(1))
                .To(Flow.Create<AnswerJudged>().SelectAsync(1, _ => silence.Task).To(Sink.Ignore<int>()))
                .Run(materializer);
            offer.Session.Tell(new VerifierWelcomed(learner, new VerifierSetup("run", AnswerMarker.Boxed, FormatRule.Boxed, 6), "", work, judged));
        }
    }

    /// <param name="fault">What becomes of a node that has taken answers and says nothing about them.</param>
    private async Task RequireJudgedByTheLearnerAfter(Func<Task> fault)
    {
        (IActorRef verification, RolloutGroup[] groups, VerifiedGroup[] own) = await JudgedByTheLearner(3);
        Task taken = await StartMute(verification);
        Task<VerifiedGroup[]> verified = Verify(verification, groups);
        await taken.WaitAsync(TwoNodes.Patience, Stop);
        Assert.False(verified.IsCompleted);

        await fault();
        RequireSame(own, await verified);
    }

    /// <summary>Starts the learner's side, and has groups judged while there is no node.</summary>
    private async Task<(IActorRef Verification, RolloutGroup[] Groups, VerifiedGroup[] Own)> JudgedByTheLearner(int count)
    {
        (RunContext made, _) = TinyRun.Create(Tiny.NewFolder(), Tiny.Settings("verification.on-nodes=true"));
        RunContext run = made with { Time = _time, Tokenizer = new FailingTokenizer(made.Tokenizer, tokens => tokens is [1, ..]) };
        IActorRef verification = Start(run);
        RolloutGroup[] groups = Groups(run, count);
        return (verification, groups, await Verify(verification, groups));
    }

    /// <summary>The learner's side, with own verifiers whose work is counted.</summary>
    private IActorRef Start(RunContext run)
    {
        IActorRef pool = Nodes.Learner.ActorOf(Props.Create(() => new AnswerVerifierActor(run.ProblemsById, run.Tokenizer, run.Verifier)));
        IActorRef own = Nodes.Learner.ActorOf(Hearer.Props((message, sender) =>
        {
            Interlocked.Increment(ref _judgedHere);
            pool.Tell(message, sender);
        }), "own");
        return Nodes.Learner.ActorOf(Props.Create(() => new VerificationActor(run, own)), "verification");
    }

    /// <summary>A node that takes answers and never says anything about them.</summary>
    /// <returns>Joined; the task in it completes when the first answer has come.</returns>
    private async Task<Task> StartMute(IActorRef verification)
    {
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef session = Nodes.Node.ActorOf(Hearer.Props((message, _) =>
        {
            if (message is VerifierWelcomed welcome)
            {
                IMaterializer materializer = Nodes.Node.Materializer();
                welcome.Work.Source.RunForeach(_ => taken.TrySetResult(), materializer);
                Source.Maybe<AnswerJudged>().RunWith(welcome.Judged.Sink, materializer);
                joined.TrySetResult();
            }
        }), "mute");
        (await Nodes.FromNode(verification)).Tell(new OfferVerifier("mute", session, 4));
        await joined.Task.WaitAsync(TwoNodes.Patience, Stop);
        return taken.Task;
    }

    private async Task UntilNodesJudge(IActorRef verification, RolloutGroup group)
    {
        int before;
        do
        {
            await Task.Delay(50, Stop);
            before = Volatile.Read(ref _judgedHere);
            await Verify(verification, [group]);
        }
        while (Volatile.Read(ref _judgedHere) != before);
    }

    private static Task<VerifiedGroup[]> Verify(IActorRef verification, RolloutGroup[] groups) =>
        Task.WhenAll(groups.Select(group => verification.Ask<VerifiedGroup>(new VerifyGroup(group), TwoNodes.Patience, Stop)));

    private static RolloutGroup[] Groups(RunContext run, int count) => [.. Enumerable.Range(0, count).Select(index =>
    {
        Problem problem = run.Problems.Train[index % run.Problems.Train.Count];
        var prompted = new PromptedGroup(new GroupAttempt(new GroupId(0, index), problem.Id, 0, 0), [1, 2], [], 0, false, true);
        ImmutableArray<Completion> completions =
        [
            .. Answers.Select((answer, i) => CompletionOf([.. run.Tokenizer.EncodeText(answer)], i % 4 == 3 ? FinishReason.Length : FinishReason.Stopped)),
            CompletionOf([1, 2, 3], FinishReason.Stopped),
        ];
        return new RolloutGroup(prompted, completions, 1, new PolicyVersion(0), "worker");
    })];

    private static Completion CompletionOf(ImmutableArray<int> tokens, FinishReason finish) => new(tokens, [.. tokens.Select(_ => -1f)], finish);

    private static void RequireSame(VerifiedGroup[] expected, VerifiedGroup[] actual) => Assert.Equal(
        expected.Select(group => (group.Rollout, string.Join('\n', group.Judgements))), actual.Select(group => (group.Rollout, string.Join('\n', group.Judgements))));
}
