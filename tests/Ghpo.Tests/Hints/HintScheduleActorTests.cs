using Akka.Actor;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Problems;
using Ghpo.Tests.Journal;
using Ghpo.Tests.Problems;
using Xunit;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Tests.Hints;

public sealed class HintScheduleActorTests : IDisposable
{
    private static readonly HintSettings Settings = new(HintStrategy.Memory, [0.25, 0.5, 0.75], 0.5, HintUnit.Characters, 0);
    private static readonly ProblemId Problem = new("p");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Repeated_and_late_commands_are_answered_from_what_is_known_without_new_events()
    {
        await using JournalHost host = await JournalHost.Start(_folder.Path);
        IActorRef hints = host.System.ActorOf(HintScheduleActor.Props(Settings, 0));
        var group = new GroupId(0, 0);
        var first = new GroupAttempt(group, Problem, 0, 0);
        var second = first with { Attempt = 1, HintRatio = 0.25, TokensSpent = 30 };

        Assert.Equal([first], (await hints.Answer<GroupsOpened>(Open(group))).Attempts);
        Assert.Equal(new HintGiven(second), await hints.Answer<object>(new RaiseHint(first, 30)));
        Assert.Equal(new HintGiven(second), await hints.Answer<object>(new RaiseHint(first, 30)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => hints.Answer<object>(new RaiseHint(first with { Attempt = 2 }, 50)));

        for (int times = 0; times < 2; times++)
        {
            Assert.Equal(new ReleaseNoted(group), await hints.Answer<object>(new ReleaseGroup(group, Problem, 0.25, Solved: true)));
        }

        Assert.Equal(new HintGiven(second), await hints.Answer<object>(new RaiseHint(first, 30)));
        Assert.Equal(new LadderExhausted(group), await hints.Answer<object>(new RaiseHint(second, 40)));
        Assert.Equal(["hr-v1", "gr-v1"], Manifests());
    }

    [Fact]
    public async Task Commands_that_come_at_once_are_answered_as_if_they_had_come_one_by_one()
    {
        await using JournalHost host = await JournalHost.Start(_folder.Path);
        IActorRef hints = host.System.ActorOf(HintScheduleActor.Props(Settings, 0));
        GroupAttempt[] failed = [.. Enumerable.Range(0, 20).Select(index => new GroupAttempt(new GroupId(0, index), new ProblemId($"p{index}"), 0, 0))];

        // Each asked twice: the second asker is answered from what the first one caused.
        Task<object>[] raised = [.. failed.Concat(failed).Select(attempt => hints.Answer<object>(new RaiseHint(attempt, 30)))];
        Task<object> released = hints.Answer<object>(new ReleaseGroup(failed[0].Group, failed[0].Problem, 0.25, Solved: true));
        Task<object> late = hints.Answer<object>(new RaiseHint(failed[0] with { Attempt = 1, HintRatio = 0.25 }, 30));

        object[] expected = [.. failed.Concat(failed).Select(attempt => new HintGiven(attempt with { Attempt = 1, HintRatio = 0.25, TokensSpent = 30 }))];
        Assert.Equal(expected, await Task.WhenAll(raised));
        Assert.Equal(new ReleaseNoted(failed[0].Group), await released);
        Assert.Equal(new LadderExhausted(failed[0].Group), await late);
        Assert.Equal([.. Enumerable.Repeat("hr-v1", 20), "gr-v1"], Manifests());
    }

    [Fact]
    public async Task A_start_above_zero_is_in_the_journal_before_it_is_answered_and_is_the_same_after_a_crash()
    {
        var group = new GroupId(1, 0);
        await using (JournalHost host = await JournalHost.Start(_folder.Path))
        {
            IActorRef hints = host.System.ActorOf(HintScheduleActor.Props(Settings, 0));
            await hints.Answer<ReleaseNoted>(new ReleaseGroup(new GroupId(0, 0), Problem, 0.75, Solved: true));
            Assert.Equal(0.5, (await hints.Answer<GroupsOpened>(Open(group))).Attempts[0].HintRatio);
            Assert.Equal(["gr-v1", "hr-v1"], Manifests());
        }

        await using JournalHost again = await JournalHost.Start(_folder.Path);
        IActorRef resumed = again.System.ActorOf(HintScheduleActor.Props(Settings, 0));
        Assert.Equal([new GroupAttempt(group, Problem, 0, 0.5)], (await resumed.Answer<GroupsOpened>(Open(group))).Attempts);
        Assert.Equal([new GroupAttempt(group, Problem, 0, 0.5)], (await resumed.Answer<HintView>(new GetHints())).OpenGroups);
        Assert.Equal(2, Manifests().Length);
    }

    [Fact]
    public async Task After_a_thousand_events_recovery_starts_from_a_snapshot()
    {
        await using (JournalHost host = await JournalHost.Start(_folder.Path))
        {
            IActorRef hints = host.System.ActorOf(HintScheduleActor.Props(Settings, 0));
            Task<ReleaseNoted>[] noted =
            [
                .. Enumerable.Range(0, 1005).Select(step => hints.Answer<ReleaseNoted>(
                    new ReleaseGroup(new GroupId(step, 0), new ProblemId($"p{step}"), 0.5, Solved: true))),
            ];
            await Task.WhenAll(noted);
            while (Snapshots() == 0)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }

        await using JournalHost again = await JournalHost.Start(_folder.Path);
        IActorRef resumed = again.System.ActorOf(HintScheduleActor.Props(Settings, 0));
        Assert.Equal(1005, (await resumed.Answer<HintView>(new GetHints())).ProblemsRemembered);
        Assert.Equal(1005, Manifests().Length);
    }

    private static OpenGroups Open(GroupId group) => new([new PlannedGroup(group, Problem)]);

    private string[] Manifests() => [.. JournalRows.Of(_folder.Path, "SELECT manifest FROM journal ORDER BY ordering")];

    private int Snapshots() => JournalRows.Of(_folder.Path, "SELECT manifest FROM snapshot").Count(manifest => manifest == "hs-v1");
}
