using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Problems;
using Ghpo.Rollout;
using Xunit;

namespace Ghpo.Tests.Dispatch;

public sealed class LeaseLedgerTests
{
    private const long Epoch = 3;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_is_lost_expires_repeats_or_comes_late_each_group_gets_one_result_and_is_never_both_pending_and_leased(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 100; round++)
        {
            var ledger = new LeaseLedger(Deadline) { Epoch = Epoch };
            string[] workers = ["a", "b", "c"];
            HashSet<WorkKey> offered = [];
            Dictionary<WorkKey, int> accepted = [];
            List<(string Worker, WorkKey Key)> underway = [];
            TimeSpan now = TimeSpan.Zero;
            for (int move = 0; move < 200; move++)
            {
                now += TimeSpan.FromSeconds(random.Next(0, 4));
                string worker = workers[random.Next(workers.Length)];
                switch (random.Next(8))
                {
                    case 0 or 1:
                        PromptedGroup group = Group(random.Next(3), random.Next(6), random.Next(2));
                        if (!accepted.ContainsKey(WorkKey.Of(group)))
                        {
                            offered.Add(WorkKey.Of(group));
                            ledger.Offer(group, new PolicyVersion(group.Attempt.Group.Step), now);
                        }

                        break;
                    case 2 or 3:
                        var holds = new PolicyVersion(random.Next(3));
                        Lease? lease = ledger.Take(worker, holds, now) ?? ledger.TakeStraggler(worker, holds, TimeSpan.FromSeconds(2), _ => true, now);
                        if (lease is not null)
                        {
                            Assert.True(lease.Oldest <= holds);
                            underway.Add((worker, lease.Key));
                        }

                        break;
                    case 4 when underway.Count > 0:
                        // Not taken off: results may come twice, and from workers that were given up.
                        (string by, WorkKey key) = underway[random.Next(underway.Count)];
                        bool stale = random.Next(4) == 0;
                        Delivery delivery = ledger.Deliver(by, key, stale ? Epoch - 1 : Epoch, new PolicyVersion(key.Group.Step), now);
                        Assert.Equal(accepted.ContainsKey(key) ? Delivery.Repeated : stale ? Delivery.Stale : Delivery.Accepted, delivery);
                        if (delivery == Delivery.Accepted)
                        {
                            accepted[key] = accepted.GetValueOrDefault(key) + 1;
                        }

                        break;
                    case 5:
                        Assert.All(ledger.Expire(now), expired => Assert.True(expired.Deadline <= now));
                        break;
                    case 6:
                        ledger.Release(worker, now);
                        Assert.Equal(0, ledger.HeldBy(worker));
                        break;
                    default:
                        if (underway.Count > 0)
                        {
                            (string failing, WorkKey failed) = underway[random.Next(underway.Count)];
                            ledger.End(failing, failed, now);
                        }

                        break;
                }

                RequireWhole(ledger, workers, offered, accepted);
            }

            // One worker that does its work brings all that is open home.
            while (ledger.Take("last", new PolicyVersion(9), now) is { } lease)
            {
                Assert.Equal(Delivery.Accepted, ledger.Deliver("last", lease.Key, Epoch, new PolicyVersion(9), now));
                accepted[lease.Key] = accepted.GetValueOrDefault(lease.Key) + 1;
            }

            foreach (Lease lease in workers.SelectMany(ledger.LeasesOf).ToArray())
            {
                if (ledger.Deliver(lease.Worker, lease.Key, Epoch, new PolicyVersion(9), now) == Delivery.Accepted)
                {
                    accepted[lease.Key] = accepted.GetValueOrDefault(lease.Key) + 1;
                }
            }

            Assert.Equal(0, ledger.Open);
            Assert.Equal(offered.Count, accepted.Count);
            Assert.All(accepted.Values, times => Assert.Equal(1, times));
        }
    }

    [Fact]
    public void Groups_that_come_back_for_a_hint_go_before_fresh_ones_and_steps_in_their_order()
    {
        var ledger = new LeaseLedger(Deadline) { Epoch = Epoch };
        foreach (PromptedGroup group in new[] { Group(1, 0, 0), Group(0, 0, 0), Group(0, 1, 0), Group(0, 2, 2), Group(0, 3, 1) })
        {
            ledger.Offer(group, new PolicyVersion(0), default);
        }

        Assert.Equal(
            ["0/2.2", "0/3.1", "0/0.0", "0/1.0", "1/0.0"],
            Enumerable.Range(0, 5).Select(_ => ledger.Take("w", new PolicyVersion(1), default)!.Key.ToString()));
    }

    [Fact]
    public void A_group_is_not_leased_to_a_worker_whose_policy_is_too_old_for_it()
    {
        var ledger = new LeaseLedger(Deadline) { Epoch = Epoch };
        ledger.Offer(Group(2, 0, 0), new PolicyVersion(2), default);
        Assert.Null(ledger.Take("w", new PolicyVersion(1), default));
        Assert.NotNull(ledger.Take("w", new PolicyVersion(2), default));
    }

    [Fact]
    public void A_result_under_a_policy_too_old_for_its_step_is_stale_and_the_group_is_pending_again()
    {
        var ledger = new LeaseLedger(Deadline) { Epoch = Epoch };
        ledger.Offer(Group(2, 0, 0), new PolicyVersion(2), default);
        Lease lease = ledger.Take("w", new PolicyVersion(2), default)!;
        Assert.Equal(Delivery.Stale, ledger.Deliver("w", lease.Key, Epoch, new PolicyVersion(1), default));
        Assert.Equal((1, 0), (ledger.Pending, ledger.Leased));
    }

    [Fact]
    public void A_straggler_is_doubled_once_by_another_worker_and_the_first_result_counts()
    {
        var ledger = new LeaseLedger(Deadline) { Epoch = Epoch };
        ledger.Offer(Group(0, 0, 0), new PolicyVersion(0), default);
        ledger.Take("slow", new PolicyVersion(0), default);
        TimeSpan later = TimeSpan.FromSeconds(5);
        Assert.Null(ledger.TakeStraggler("slow", new PolicyVersion(0), TimeSpan.FromSeconds(2), _ => true, later));
        Assert.Null(ledger.TakeStraggler("idle", new PolicyVersion(0), TimeSpan.FromSeconds(6), _ => true, later));
        Lease second = ledger.TakeStraggler("idle", new PolicyVersion(0), TimeSpan.FromSeconds(2), _ => true, later)!;
        Assert.Null(ledger.TakeStraggler("third", new PolicyVersion(0), TimeSpan.FromSeconds(2), _ => true, later));
        Assert.Equal(["slow", "idle"], ledger.HoldersOf(second.Key));
        Assert.Equal(Delivery.Accepted, ledger.Deliver("idle", second.Key, Epoch, new PolicyVersion(0), later));
        Assert.Empty(ledger.HoldersOf(second.Key));
        Assert.Equal(Delivery.Repeated, ledger.Deliver("slow", second.Key, Epoch, new PolicyVersion(0), later));
        Assert.Equal(0, ledger.HeldBy("slow"));
    }

    [Fact]
    public void Only_groups_that_are_out_for_too_long_are_looked_at_for_a_straggler()
    {
        var ledger = new LeaseLedger(Deadline) { Epoch = Epoch };
        for (int index = 0; index < 1000; index++)
        {
            ledger.Offer(Group(0, index, 0), new PolicyVersion(0), default);
            ledger.Take($"w{index}", new PolicyVersion(0), TimeSpan.FromMilliseconds(index));
        }

        List<string> asked = [];
        bool Ask(string holder)
        {
            asked.Add(holder);
            return holder != "w0";
        }

        Assert.Equal(TimeSpan.Zero, ledger.AloneSince);
        Assert.Null(ledger.TakeStraggler("idle", new PolicyVersion(0), TimeSpan.FromSeconds(5), Ask, TimeSpan.FromSeconds(4)));
        Assert.Empty(asked);
        Assert.Equal("0/1.0", ledger.TakeStraggler("idle", new PolicyVersion(0), TimeSpan.FromSeconds(2), Ask, TimeSpan.FromSeconds(4))?.Key.ToString());
        Assert.Equal(["w0", "w1"], asked);
    }

    [Fact]
    public void A_lease_says_since_when_its_group_was_pending_and_a_second_one_says_nothing()
    {
        var ledger = new LeaseLedger(Deadline) { Epoch = Epoch };
        TimeSpan Second(int second) => TimeSpan.FromSeconds(second);
        ledger.Offer(Group(0, 0, 0), new PolicyVersion(0), Second(1));
        Assert.Equal(Second(1), ledger.WaitingSince);
        Assert.Equal(Second(1), ledger.Take("slow", new PolicyVersion(0), Second(2))!.PendingSince);
        Assert.Null(ledger.WaitingSince);
        Assert.Null(ledger.TakeStraggler("idle", new PolicyVersion(0), Second(1), _ => true, Second(5))!.PendingSince);
        ledger.Release("slow", Second(6));
        ledger.Release("idle", Second(7));
        Assert.Equal(Second(7), ledger.WaitingSince);
    }

    private static void RequireWhole(LeaseLedger ledger, string[] workers, HashSet<WorkKey> offered, Dictionary<WorkKey, int> accepted)
    {
        Lease[] leases = [.. workers.SelectMany(ledger.LeasesOf)];
        Assert.Equal(offered.Count - accepted.Count, ledger.Open);
        Assert.Equal(ledger.Leased, leases.Select(lease => lease.Key).Distinct().Count());
        Assert.Equal(ledger.Open, ledger.Pending + ledger.Leased);
        Assert.All(leases.GroupBy(lease => lease.Key), held =>
        {
            Assert.InRange(held.Count(), 1, LeaseLedger.MostLeases);
            Assert.Equal(held.Count(), held.Select(lease => lease.Worker).Distinct().Count());
            Assert.DoesNotContain(held.Key, accepted.Keys);
        });
    }

    internal static PromptedGroup Group(int step, int index, int attempt) =>
        new(new GroupAttempt(new GroupId(step, index), new ProblemId("p"), attempt, 0.25 * attempt, 7), [1, 200, 3], [1, 3], 1, false, true);
}
