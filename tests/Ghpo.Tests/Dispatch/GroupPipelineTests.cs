using System.Collections.Concurrent;
using Akka;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Curriculum;
using Ghpo.Difficulty;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>The graph without a model: stages are functions, so every interleaving that the bounds allow can be provoked.</summary>
public sealed class GroupPipelineTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private readonly ActorSystem _system = ActorSystem.Create("pipeline-tests");
    private readonly ActorMaterializer _materializer;

    public GroupPipelineTests() => _materializer = _system.Materializer();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await _system.Terminate();

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 1, 1)]
    [InlineData(2, 2, 3)]
    [InlineData(7, 1, 2)]
    [InlineData(64, 3, 8)]
    public async Task The_feedback_loop_does_not_deadlock_when_every_group_climbs_the_whole_ladder(int permits, int workers, int parallelism)
    {
        var delivered = new ConcurrentQueue<SettledGroup>();
        PipelineStages stages = Stages(workers, parallelism) with
        {
            Classify = group => Task.FromResult(Climb(group, levels: 4)),
            Deliver = async settled =>
            {
                // A slow learner: everything before it fills up to its bound.
                await Task.Yield();
                delivered.Enqueue(settled.Group);
                return settled;
            },
        };

        await Run(stages, permits, Attempts(200));

        Assert.Equal(Enumerable.Range(0, 200), delivered.Select(group => group.Group.Index).Order());
        Assert.All(delivered, group => Assert.Equal(3, group.Attempt));
    }

    [Fact]
    public async Task Never_are_more_groups_between_planning_and_settling_than_there_are_permits()
    {
        const int Permits = 5;
        int inFlight = 0;
        int most = 0;
        PipelineStages stages = Stages(workers: 2, parallelism: 4) with
        {
            Prompt = attempt =>
            {
                if (attempt.Attempt == 0)
                {
                    most = Math.Max(most, Interlocked.Increment(ref inFlight));
                }

                return Prompted(attempt);
            },
            Classify = group => Task.FromResult(Climb(group, levels: 1 + (group.Rollout.Prompted.Attempt.Group.Index % 4))),
            Deliver = settled =>
            {
                Interlocked.Decrement(ref inFlight);
                return Task.FromResult(settled);
            },
        };

        await Run(stages, Permits, Attempts(300));

        Assert.InRange(most, 2, Permits);
    }

    [Fact]
    public async Task A_learner_that_does_not_acknowledge_stops_planning_until_it_does()
    {
        const int Permits = 3;
        int planned = 0;
        var acknowledge = new TaskCompletionSource();
        var full = new TaskCompletionSource();
        PipelineStages stages = Stages(workers: 1, parallelism: 1) with
        {
            Deliver = async settled =>
            {
                await acknowledge.Task;
                return settled;
            },
        };
        Source<GroupAttempt, NotUsed> source = Source.From(Attempts(50)).Select(attempt =>
        {
            if (Interlocked.Increment(ref planned) == Permits)
            {
                full.TrySetResult();
            }

            return attempt;
        });

        Task<Done> running = new GroupPipeline(stages, Gauges(), Permits).Create(source).Run(_materializer);
        await full.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.False(running.IsCompleted);
        // One more may wait at the head, pulled ahead of a permit by the source's own operator.
        Assert.InRange(planned, Permits, Permits + 1);

        acknowledge.SetResult();
        await running.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(50, planned);
    }

    [Fact]
    public async Task A_solved_group_reaches_the_learner_while_its_neighbour_still_climbs()
    {
        var order = new ConcurrentQueue<int>();
        var secondDelivered = new TaskCompletionSource();
        PipelineStages stages = Stages(workers: 1, parallelism: 4) with
        {
            Classify = async group =>
            {
                GroupAttempt attempt = group.Rollout.Prompted.Attempt;
                if (attempt.Group.Index == 0 && attempt.Attempt == 1)
                {
                    // Group 0 cannot go on unless group 1 gets through in the meantime.
                    await secondDelivered.Task;
                }

                return Climb(group, levels: attempt.Group.Index == 0 ? 3 : 1);
            },
            Deliver = settled =>
            {
                order.Enqueue(settled.Group.Group.Index);
                if (settled.Group.Group.Index == 1)
                {
                    secondDelivered.SetResult();
                }

                return Task.FromResult(settled);
            },
        };

        await Run(stages, permits: 2, Attempts(2));

        Assert.Equal([1, 0], order);
    }

    [Fact]
    public async Task A_stage_that_fails_fails_the_pipeline_with_its_own_exception()
    {
        PipelineStages stages = Stages(workers: 2, parallelism: 2) with
        {
            Verify = group => group.Prompted.Attempt.Group.Index == 20
                ? throw new InvalidDataException("verifier is gone")
                : Task.FromResult(new VerifiedGroup(group, [])),
        };

        Exception failure = await Assert.ThrowsAnyAsync<Exception>(() => Run(stages, permits: 4, Attempts(100)));

        Assert.Equal("verifier is gone", failure.GetBaseException().Message);
    }

    [Fact]
    public async Task Groups_that_come_back_for_a_hint_go_before_fresh_ones()
    {
        var sampled = new ConcurrentQueue<(int Index, int Attempt)>();
        PipelineStages stages = Stages(workers: 1, parallelism: 1) with
        {
            Prompt = attempt =>
            {
                sampled.Enqueue((attempt.Group.Index, attempt.Attempt));
                return Prompted(attempt);
            },
            Classify = group => Task.FromResult(Climb(group, levels: 2)),
        };

        await Run(stages, permits: 1, Attempts(3));

        Assert.Equal([(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)], sampled);
    }

    private async Task Run(PipelineStages stages, int permits, IEnumerable<GroupAttempt> attempts) =>
        await new GroupPipeline(stages, Gauges(), permits).Create(Source.From(attempts)).Run(_materializer).WaitAsync(_patience);

    private static PipelineGauges Gauges() => new(1, 1, 1, 1, 1);

    private static PipelineStages Stages(int workers, int parallelism) => new(
        Prompted,
        Workers(workers * parallelism),
        parallelism,
        group => Task.FromResult(new VerifiedGroup(group, [])),
        parallelism,
        group => Task.FromResult(Climb(group, levels: 1)),
        parallelism,
        Task.FromResult);

    /// <summary>As many groups at a time as the workers of a run have room for; the others wait, as they do at the dispatcher.</summary>
    private static Func<PromptedGroup, Task<RolloutGroup>> Workers(int room)
    {
        var free = new SemaphoreSlim(room);
        return async prompted =>
        {
            await free.WaitAsync();
            await Task.Yield();
            free.Release();
            return new RolloutGroup(prompted, [], Epoch: 1, new PolicyVersion(0), "worker");
        };
    }

    private static IEnumerable<GroupAttempt> Attempts(int count) =>
        Enumerable.Range(0, count).Select(index => new GroupAttempt(new GroupId(0, index), new ProblemId($"p{index}"), 0, 0));

    private static PromptedGroup Prompted(GroupAttempt attempt) => new(attempt, [1], [], 0, HintShortened: false, HasSolution: true);

    private static Classified Climb(VerifiedGroup group, int levels)
    {
        GroupAttempt attempt = group.Rollout.Prompted.Attempt;
        return attempt.Attempt + 1 < levels
            ? new Escalated(attempt with { Attempt = attempt.Attempt + 1, HintRatio = 0.25 * (attempt.Attempt + 1) })
            : new Settled(new SettledGroup(
                attempt.Group, attempt.Problem, Settlement.Unsolved, attempt.Attempt, attempt.HintRatio, false, [1], [], [], 0, 1, new PolicyVersion(0)), group.Rollout.Worker);
    }
}
