using Ghpo.Dispatch;
using Ghpo.Rollout;
using Xunit;

namespace Ghpo.Tests.Dispatch;

public sealed class WorkerHealthTests
{
    private static readonly HeldPolicy Policy = new(1, new PolicyVersion(4), "hash");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_happens_lost_stays_lost_nothing_is_taken_without_a_proof_and_no_probe_clears_a_failure(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 300; round++)
        {
            TimeSpan now = TimeSpan.Zero;
            WorkerHealth health = WorkerHealth.Joined(now);
            for (int step = 0; step < 60; step++)
            {
                now += TimeSpan.FromSeconds(random.Next(0, 3));
                WorkerHealth before = health;
                int happens = random.Next(11);
                health = happens switch
                {
                    0 => health.Told(now),
                    1 => health.Proved(Policy, now),
                    2 or 3 => health.Heard(now),
                    4 => health.Passed(now),
                    5 => health.Reached(random.Next(2) == 0, now),
                    6 => health.Worked(now),
                    7 => health.Failed("engine", now),
                    8 => health.Drain(now),
                    9 => health.Resume(now),
                    _ => health.Disconnected(now),
                };
                if (before.State == WorkerState.Lost)
                {
                    Assert.Equal(before, health);
                }

                Assert.True(!health.MayTake(0) || health.Held is not null);
                Assert.False(health.MayTake(1) && health.State != WorkerState.Serving);
                if (before is { Failures: > 0, State: WorkerState.Suspect } && happens is 2 or 3 or 4 or 5)
                {
                    Assert.NotEqual(WorkerState.Serving, health.State);
                }

                Assert.Equal(health.State == before.State ? before.Since : now, health.Since);
            }
        }
    }

    [Fact]
    public void A_worker_joins_fetches_serves_is_suspected_and_serves_again_when_it_is_heard()
    {
        WorkerHealth health = WorkerHealth.Joined(default);
        Assert.Equal(WorkerState.Joining, health.State);
        Assert.Equal(WorkerState.Fetching, (health = health.Told(At(1))).State);
        Assert.Equal(WorkerState.Serving, (health = health.Proved(Policy, At(2)).Heard(At(2))).State);
        Assert.Equal(WorkerState.Suspect, (health = health.Passed(At(8))).State);
        Assert.False(health.MayTake(0));
        Assert.Equal("not heard for more than 5 s", health.Why);
        Assert.Equal(WorkerState.Serving, health.Heard(At(9)).State);
        Assert.Equal(WorkerState.Lost, health.Passed(At(63)).State);
    }

    [Fact]
    public void A_wedged_engine_that_answers_probes_gets_one_group_at_a_time_and_is_lost_after_three_failures()
    {
        WorkerHealth health = WorkerHealth.Joined(default).Proved(Policy, default).Failed("deadline", At(1)).Heard(At(2));
        Assert.Equal(WorkerState.Suspect, health.State);
        Assert.True(health.MayTake(0));
        Assert.False(health.MayTake(1));
        Assert.Equal(WorkerState.Serving, health.Worked(At(3)).State);
        WorkerHealth lost = health.Failed("deadline", At(3)).Heard(At(4)).Failed("deadline", At(5));
        Assert.Equal((WorkerState.Lost, "failed 3 groups in a row, the last: deadline"), (lost.State, lost.Why));
    }

    private static TimeSpan At(int seconds) => TimeSpan.FromSeconds(seconds);
}
