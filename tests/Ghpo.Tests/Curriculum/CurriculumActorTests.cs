using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Tests.Journal;
using Ghpo.Tests.Problems;
using Xunit;
using static Ghpo.Curriculum.CurriculumProtocol;

namespace Ghpo.Tests.Curriculum;

public sealed class CurriculumActorTests : IDisposable
{
    private static readonly CurriculumSettings Settings = new(2, ProblemOrder.Shuffled);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_plan_is_the_same_when_it_is_asked_for_again_and_after_a_crash()
    {
        ImmutableArray<PlannedGroup> plan;
        await using (JournalHost host = await JournalHost.Start(_folder.Path))
        {
            IActorRef curriculum = host.System.ActorOf(CurriculumActor.Props(Settings, 1, Problems("a", "b", "c")));
            plan = (await curriculum.Answer<StepPlan>(new PlanStep(0))).Groups;
            Assert.Equal(plan, (await curriculum.Answer<StepPlan>(new PlanStep(0))).Groups);
        }

        await using JournalHost again = await JournalHost.Start(_folder.Path);
        IActorRef resumed = again.System.ActorOf(CurriculumActor.Props(Settings, 1, Problems("a", "b", "c")));
        Assert.Equal(plan, (await resumed.Answer<StepPlan>(new PlanStep(0))).Groups);
        Assert.Equal(["sp-v1"], JournalRows.Of(_folder.Path, "SELECT manifest FROM journal"));
    }

    [Fact]
    public async Task An_outcome_told_again_is_noted_without_an_event_also_after_its_step_is_closed()
    {
        await using JournalHost host = await JournalHost.Start(_folder.Path);
        IActorRef curriculum = host.System.ActorOf(CurriculumActor.Props(Settings, 1, Problems("a", "b", "c")));
        PlannedGroup group = (await curriculum.Answer<StepPlan>(new PlanStep(0))).Groups[0];
        var outcome = new RecordOutcome(group.Group, group.Problem, Settlement.Solved, 0, 1, 2);

        Assert.Equal(new OutcomeNoted(group.Group), await curriculum.Answer<object>(outcome));
        Assert.Equal(new OutcomeNoted(group.Group), await curriculum.Answer<object>(outcome));
        curriculum.Tell(new CloseStep(0));
        Assert.Equal(new OutcomeNoted(group.Group), await curriculum.Answer<object>(outcome));

        Assert.Equal(["sp-v1", "or-v1"], JournalRows.Of(_folder.Path, "SELECT manifest FROM journal ORDER BY ordering"));
        Assert.Empty((await curriculum.Answer<CurriculumView>(new GetCurriculum())).OpenSteps);
    }

    [Theory]
    [InlineData(2, "comes after step 1")]
    [InlineData(0, "is closed")]
    public async Task A_step_that_cannot_be_planned_is_refused_with_the_reason(int step, string reason)
    {
        await using JournalHost host = await JournalHost.Start(_folder.Path);
        IActorRef curriculum = host.System.ActorOf(CurriculumActor.Props(Settings, 1, Problems("a", "b", "c")));
        await curriculum.Answer<StepPlan>(new PlanStep(0));
        curriculum.Tell(new CloseStep(0));

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => curriculum.Answer<StepPlan>(new PlanStep(step)));

        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_of_another_data_set_fails_with_the_problem_it_misses()
    {
        await using (JournalHost host = await JournalHost.Start(_folder.Path))
        {
            await host.System.ActorOf(CurriculumActor.Props(Settings, 1, Problems("a", "b"))).Answer<StepPlan>(new PlanStep(0));
        }

        await using JournalHost again = await JournalHost.Start(_folder.Path);
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        again.System.ActorOf(Props.Create(() => new Parent(CurriculumActor.Props(Settings, 1, Problems("a", "z")), failed)));

        var failure = Assert.IsType<UserErrorException>(await failed.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
        Assert.Contains("plans problem b", failure.Message, StringComparison.Ordinal);
    }

    private static ImmutableArray<ProblemId> Problems(params string[] names) => [.. names.Select(name => new ProblemId(name))];

    private sealed class Parent : ReceiveActor
    {
        private readonly TaskCompletionSource<Exception> _failed;

        public Parent(Props child, TaskCompletionSource<Exception> failed)
        {
            _failed = failed;
            Context.ActorOf(child);
        }

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(failure =>
        {
            _failed.TrySetResult(failure);
            return Directive.Stop;
        });
    }
}
