using System.Collections;
using Ghpo.Dispatch;
using Xunit;

namespace Ghpo.Tests.Dispatch;

public sealed class WorkSharesTests
{
    [Theory]
    [InlineData(6, 0, 1, 1, true)]
    [InlineData(6, 3, 1, 1, false)]
    [InlineData(8, 5, 3, 1, true)]
    [InlineData(8, 6, 3, 1, false)]
    public void Open_groups_are_shared_by_measured_speed(int open, int held, double speed, double other, bool given) => Assert.Equal(
        given ? [0] : [], Give([new WorkLoad(8, held, speed, true), new WorkLoad(8, 0, other, false)], open, pending: 1));

    [Fact]
    public void A_worker_that_was_not_measured_yet_counts_as_the_mean_of_the_others() =>
        Assert.Equal([1], Give([new WorkLoad(8, 4, 2, true), new WorkLoad(8, 3, 0, true), new WorkLoad(8, 0, 2, false)], open: 12, pending: 2));

    [Fact]
    public void Nobody_waits_for_a_worker_that_has_no_room() =>
        Assert.Equal([0], Give([new WorkLoad(8, 6, 1, true), new WorkLoad(1, 1, 1, false)], open: 10, pending: 1));

    [Fact]
    public void A_group_that_has_waited_for_long_goes_to_whoever_has_room() =>
        Assert.Equal([0], Give([new WorkLoad(8, 3, 1, true), new WorkLoad(8, 0, 1, false)], open: 6, pending: 1, patient: false));

    [Fact]
    public void Those_with_less_than_their_share_come_first_and_of_equals_the_one_with_the_fewest_in_hand() => Assert.Equal(
        [3, 1, 2, 0],
        Give([new WorkLoad(8, 2, 1, true), new WorkLoad(8, 1, 1, true), new WorkLoad(2, 1, 1, true), new WorkLoad(8, 0, 1, true)], open: 8, pending: 8, patient: false));

    [Fact]
    public void A_full_worker_gets_another_group_only_while_there_is_one_pending_for_every_place_that_there_is()
    {
        WorkLoad[] full = [new WorkLoad(2, 2, 1, true), new WorkLoad(2, 2, 1, true)];
        Assert.Equal([], Give(full, open: 7, pending: 3));
        Assert.Equal([], Give(full, open: 7, pending: 3, patient: false));
        Assert.Equal([0], Give(full, open: 8, pending: 4));
        Assert.Equal([0, 1], Give(full, open: 9, pending: 5));
    }

    [Fact]
    public void Each_gets_one_group_a_round_and_what_there_is_not_is_not_given()
    {
        WorkLoad[] idle = [.. Enumerable.Repeat(new WorkLoad(4, 0, 1, true), 5)];
        int left = 3;
        List<int> given = [];
        WorkShares.Give(idle, open: 3, pending: 3, patient: true, index =>
        {
            given.Add(index);
            return --left >= 0;
        });
        Assert.Equal([0, 1, 2, 3, 4], given);
    }

    /// <summary>A round that looked at all workers for each that asks would take a million looks here, and a hundred rounds a second are ordinary.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_round_among_a_thousand_workers_that_all_ask_looks_at_each_a_few_times(bool lacking)
    {
        var workers = new Counted([.. Enumerable.Range(0, 1000).Select(i => new WorkLoad(1, lacking ? 0 : 1, 1 + (i % 7), true))]);
        int given = 0;
        WorkShares.Give(workers, open: 5000, pending: 4000, patient: true, _ =>
        {
            given++;
            return true;
        });
        Assert.Equal(1000, given);
        Assert.InRange(workers.Looks, 1000, 4000);
    }

    private static List<int> Give(WorkLoad[] workers, int open, int pending, bool patient = true)
    {
        List<int> given = [];
        WorkShares.Give(workers, open, pending, patient, index =>
        {
            given.Add(index);
            return true;
        });
        return given;
    }

    private sealed class Counted(WorkLoad[] loads) : IReadOnlyList<WorkLoad>
    {
        public int Looks { get; private set; }

        public int Count => loads.Length;

        public WorkLoad this[int index]
        {
            get
            {
                Looks++;
                return loads[index];
            }
        }

        public IEnumerator<WorkLoad> GetEnumerator()
        {
            foreach (WorkLoad load in loads)
            {
                Looks++;
                yield return load;
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
