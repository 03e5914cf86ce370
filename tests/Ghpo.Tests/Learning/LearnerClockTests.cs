using Ghpo.Learning;
using Ghpo.Tests.Dispatch;
using Xunit;

namespace Ghpo.Tests.Learning;

/// <summary>How long steps are said to take.</summary>
public sealed class LearnerClockTests
{
    private readonly ManualTime _time = new();
    private TimeSpan _now;

    [Fact]
    public void A_step_that_waited_for_the_end_of_a_pause_takes_no_longer_than_others_and_one_that_was_under_way_takes_what_it_took()
    {
        var clock = new LearnerClock(_time);
        clock.Opened(0);
        Pass(3);
        clock.Settled(0);
        Pass(1);
        Assert.Equal((3, 4), clock.Commit(0));

        Pass(8 * 3600);
        clock.Resumed();
        clock.Opened(1);
        Pass(3);
        clock.Settled(1);
        Pass(1);
        Assert.Equal((3, 4), clock.Commit(1));

        clock.Opened(2);
        Pass(3);
        // Paused and resumed before the step was through.
        clock.Resumed();
        clock.Settled(2);
        Pass(1);
        Assert.Equal((3, 4), clock.Commit(2));
    }

    private void Pass(double seconds) => _time.Elapsed = _now += TimeSpan.FromSeconds(seconds);
}
