using Ghpo.Dispatch;
using Xunit;

namespace Ghpo.Tests.Dispatch;

public sealed class WorkerRoomTests
{
    [Fact]
    public void A_worker_whose_sequences_wait_for_memory_has_room_for_what_it_decodes() =>
        Assert.Equal(new WorkerRoom(16, 5), WorkerRoom.Of(16).Reported(held: 16, starved: 41, groupSize: 4));

    [Fact]
    public void It_always_has_room_for_one_group() => Assert.Equal(1, WorkerRoom.Of(4).Reported(held: 1, starved: 3, groupSize: 4).Groups);

    [Fact]
    public void Room_comes_back_a_group_a_report_while_it_is_full_and_none_waits_and_ends_at_its_slots()
    {
        WorkerRoom room = WorkerRoom.Of(4).Reported(held: 4, starved: 12, groupSize: 4);
        Assert.Equal(1, room.Groups);
        Assert.Equal(1, room.Reported(held: 0, starved: 0, groupSize: 4).Groups);
        room = room.Reported(held: 1, starved: 0, groupSize: 4);
        Assert.Equal(2, room.Groups);
        for (int report = 0; report < 9; report++)
        {
            room = room.Reported(held: 4, starved: 0, groupSize: 4);
        }

        Assert.Equal(WorkerRoom.Of(4), room);
    }

    /// <summary>Groups of one length on a worker whose memory holds five of them: it is never given more than one that waits.</summary>
    [Fact]
    public void A_worker_that_always_asks_settles_where_its_memory_ends()
    {
        WorkerRoom room = WorkerRoom.Of(16);
        for (int report = 0; report < 100; report++)
        {
            int held = room.Groups;
            room = room.Reported(held, Math.Max(0, held - 5) * 4, groupSize: 4);
            Assert.True(report == 0 || room.Groups is 5 or 6, $"room for {room.Groups}");
        }
    }
}
