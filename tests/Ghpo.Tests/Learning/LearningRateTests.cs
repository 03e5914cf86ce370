using Ghpo.Learning;
using Xunit;

namespace Ghpo.Tests.Learning;

public sealed class LearningRateTests
{
    [Fact]
    public void The_rate_warms_up_to_its_peak_and_follows_a_cosine_to_zero()
    {
        var rate = new LearningRate(Peak: 8, RateSchedule.Cosine, WarmUpRatio: 0.2, Steps: 10);

        // W = 2. Cosine part over 8 steps: at step 6 half of it is done, so ½ (1 + cos(π/2)) = ½.
        Assert.Equal(4, rate.At(0), 12);
        Assert.Equal(8, rate.At(1), 12);
        Assert.Equal(8, rate.At(2), 12);
        Assert.Equal(4, rate.At(6), 12);
        Assert.Equal(8 * 0.5 * (1 - Math.Cos(Math.PI / 8)), rate.At(9), 12);
        Assert.Equal(0, rate.At(10));
        Assert.Equal(0, rate.At(11));
    }

    [Fact]
    public void A_constant_rate_stays_after_its_warm_up()
    {
        var rate = new LearningRate(Peak: 3, RateSchedule.Constant, WarmUpRatio: 0.05, Steps: 20);

        Assert.Equal([3.0, 3.0, 3.0], new[] { 0, 1, 25 }.Select(rate.At));
    }

    [Fact]
    public void A_run_that_is_all_warm_up_has_no_cosine()
    {
        var rate = new LearningRate(Peak: 4, RateSchedule.Cosine, WarmUpRatio: 1, Steps: 4);

        Assert.Equal([1.0, 2.0, 3.0, 4.0, 0.0], Enumerable.Range(0, 5).Select(rate.At));
    }
}
