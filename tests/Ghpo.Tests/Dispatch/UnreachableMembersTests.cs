using Akka.Actor;
using Akka.Cluster;
using Ghpo.Dispatch;
using Xunit;

namespace Ghpo.Tests.Dispatch;

public sealed class UnreachableMembersTests
{
    private static readonly UniqueAddress One = new(new Address("akka.tcp", "ghpo", "10.0.0.1", 1), 1);
    private static readonly UniqueAddress Other = new(new Address("akka.tcp", "ghpo", "10.0.0.2", 2), 2);

    private readonly UnreachableMembers _members = new(TimeSpan.FromSeconds(20));

    [Fact]
    public void One_that_stays_lost_is_named_once_when_the_patience_is_over()
    {
        _members.Lost(One, At(5));
        Assert.Empty(_members.TakeOverdue(At(24)));
        Assert.Equal([One], _members.TakeOverdue(At(25)));
        Assert.Empty(_members.TakeOverdue(At(90)));
    }

    [Fact]
    public void One_that_is_found_in_time_is_not_named_and_begins_anew_when_it_is_lost_again()
    {
        _members.Lost(One, At(0));
        _members.Found(One);
        Assert.Empty(_members.TakeOverdue(At(60)));
        _members.Lost(One, At(61));
        Assert.Empty(_members.TakeOverdue(At(80)));
        Assert.Equal([One], _members.TakeOverdue(At(81)));
    }

    [Fact]
    public void Nobody_s_coming_and_going_lengthens_the_patience_with_another()
    {
        _members.Lost(One, At(0));
        for (int second = 0; second < 20; second++)
        {
            _members.Lost(Other, At(second));
            Assert.Empty(_members.TakeOverdue(At(second)));
            _members.Found(Other);
        }

        Assert.Equal([One], _members.TakeOverdue(At(20)));
    }

    [Fact]
    public void To_be_told_again_that_one_is_lost_changes_nothing()
    {
        _members.Lost(One, At(0));
        _members.Lost(One, At(19));
        Assert.Equal([One], _members.TakeOverdue(At(20)));
    }

    [Fact]
    public void All_whose_time_is_over_are_named_together()
    {
        _members.Lost(Other, At(0));
        _members.Lost(One, At(1));
        Assert.Equal([One, Other], _members.TakeOverdue(At(30)));
    }

    private static TimeSpan At(int seconds) => TimeSpan.FromSeconds(seconds);
}
