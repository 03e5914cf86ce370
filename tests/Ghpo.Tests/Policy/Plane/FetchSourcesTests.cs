using Ghpo.Policy.Plane;
using Ghpo.Tests.Dispatch;
using Xunit;

namespace Ghpo.Tests.Policy.Plane;

public sealed class FetchSourcesTests
{
    private static readonly Uri _plane = new("http://worker:1/");

    private readonly ManualTime _time = new();
    private readonly FetchSources _sources;

    public FetchSourcesTests()
    {
        _sources = new FetchSources(_time);
        _sources.Offer([_plane]);
    }

    /// <summary>To find out anew what took ten seconds, or five, is worth nothing while others have the policy.</summary>
    [Theory]
    [InlineData(nameof(FetchOutcome.Silent))]
    [InlineData(nameof(FetchOutcome.Unreached))]
    [InlineData(nameof(FetchOutcome.Gone))]
    public void A_source_that_is_silent_cannot_be_reached_or_does_not_hold_the_policy_is_left_at_once_and_may_be_offered_again(string outcome)
    {
        Fail(Enum.Parse<FetchOutcome>(outcome));
        Assert.False(_sources.AnyUsable);
        Assert.Equal([_plane], _sources.Failed);
        Assert.True(_sources.Offer([_plane]));
    }

    [Theory]
    [InlineData(nameof(FetchOutcome.Broken))]
    [InlineData(nameof(FetchOutcome.Busy))]
    public void A_source_that_breaks_off_or_has_no_time_is_left_after_three_times_in_a_row(string outcome)
    {
        Fail(Enum.Parse<FetchOutcome>(outcome));
        Fail(Enum.Parse<FetchOutcome>(outcome));
        Assert.True(_sources.AnyUsable);
        Fail(FetchOutcome.Verified);
        Fail(Enum.Parse<FetchOutcome>(outcome));
        Fail(Enum.Parse<FetchOutcome>(outcome));
        Assert.True(_sources.AnyUsable);
        Fail(Enum.Parse<FetchOutcome>(outcome));
        Assert.False(_sources.AnyUsable);
    }

    [Fact]
    public void A_source_that_lied_is_never_used_again()
    {
        Fail(FetchOutcome.Lied);
        Assert.False(_sources.Offer([_plane]));
    }

    /// <summary>After whatever rest it needs.</summary>
    private void Fail(FetchOutcome outcome)
    {
        _time.Elapsed = TimeSpan.FromTicks(_time.GetTimestamp()) + TimeSpan.FromSeconds(10);
        Assert.Equal(_plane, _sources.Take().Plane);
        _sources.Report(_plane, outcome, "was tried");
    }
}
