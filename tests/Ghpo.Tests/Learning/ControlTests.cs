using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Tests.Journal;
using Ghpo.Tests.Problems;
using Xunit;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Learning;

/// <summary>Settings that change within a run.</summary>
public sealed class ControlTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);
    private static readonly ControlRequest Rate = new("ghpo.learning.rate", "0.001", "me@here", Noon);
    private static readonly ControlRequest Strategy = new("ghpo.hints.strategy", "\"none\"", "me@here", Noon);

    private readonly TemporaryFolder _root = new();
    private int _folders;

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task A_control_is_journalled_once_and_in_force_from_the_first_open_step_on()
    {
        string reference = NewFolder();
        await LearnerRun.Complete(reference, Options(steps: 4));
        string folder = NewFolder();
        await LearnerRun.Complete(folder, Options(steps: 2));

        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, Options(steps: 4, Rate));
        Assert.Equal((RunOutcome.Completed, 4), (ended.Outcome, ended.Steps));
        // The process is started again with the same request, as a team that failed is.
        await LearnerRun.Complete(folder, Options(steps: 4, Rate));

        ControlApplied control = Assert.Single(Events<ControlApplied>(folder));
        Assert.Equal(new ControlApplied(2, "ghpo.learning.rate", "0.001", "me@here", Noon), control);
        Assert.Equal(LearnerRun.Hashes(reference)[..2], LearnerRun.Hashes(folder)[..2]);
        Assert.NotEqual(LearnerRun.Hashes(reference)[2], LearnerRun.Hashes(folder)[2]);
        LearnerRun.CheckJournal(folder);
    }

    [Fact]
    public async Task After_the_last_step_no_group_is_awaited_and_a_key_that_there_is_not_is_a_misuse()
    {
        await using LearnerRun run = await LearnerRun.Start(NewFolder(), Options(steps: 1));
        var refused = await run.Learner.Ask<SteeringProtocol.NotSteered>(new SteeringProtocol.ChangeSetting("learning.rtae", "1e-4", "me"), TestContext.Current.CancellationToken);
        Assert.True(refused.Misused, refused.Problem);
        refused = await run.Learner.Ask<SteeringProtocol.NotSteered>(new SteeringProtocol.ChangeSetting("rollout.workers", "3", "me"), TestContext.Current.CancellationToken);
        Assert.False(refused.Misused, refused.Problem);
        Assert.Equal(1, (await run.Learner.Ask<LearnerView>(new GetLearner(), TestContext.Current.CancellationToken)).Steps);
        await run.Learner.Ask<SteeringProtocol.Steered>(new SteeringProtocol.ChangeSetting("run.steps", "2", "me"), TestContext.Current.CancellationToken);
        Assert.Equal(2, (await run.Learner.Ask<LearnerView>(new GetLearner(), TestContext.Current.CancellationToken)).Steps);
        await run.Sample();
        await run.Ended;
        LearnerView view = await run.Learner.Ask<LearnerView>(new GetLearner(), TestContext.Current.CancellationToken);
        Assert.Equal((2, 0), (view.Step, view.GroupsAwaited));
    }

    [Fact]
    public void A_number_of_steps_that_is_set_while_a_run_goes_on_counts_for_its_end_from_then_on()
    {
        RunProgress progress = RunProgress.None.Apply(new RunEvents.RunStarted("r", "runs/r", 0, 100, 0, 10, 0)).Apply(new RunEvents.StepCompleted(Node.RecordedRun.Step(0)));
        Assert.Equal(99 * 3, progress.Remaining!.Value.TotalSeconds, 6);
        progress = progress.Apply(new RunEvents.PipelineProgress(1, 0, 4, "sampling", 0, [], Steps: 11, TokenBudget: 0));
        Assert.Equal((11, 30), (progress.Run!.Steps, progress.Remaining!.Value.TotalSeconds));
    }

    [Fact]
    public async Task Killed_after_any_event_since_a_control_a_run_ends_as_if_it_had_not_been()
    {
        string reference = NewFolder();
        await LearnerRun.Complete(reference, Options(steps: 1));
        long first = LearnerRun.Journal(reference).Entries(LearnerActor.JournalId).Last().SequenceNumber;
        await LearnerRun.Complete(reference, Options(steps: 3, Rate, Strategy));
        long last = LearnerRun.Journal(reference).Entries(LearnerActor.JournalId).Last().SequenceNumber;

        for (long number = first + 1; number <= last; number++)
        {
            string folder = NewFolder();
            await LearnerRun.Complete(folder, Options(steps: 1));
            var killSwitch = new KillSwitch(LearnerActor.JournalId, number, refuse: false);
            await LearnerRun.Complete(folder, Options(steps: 3, Rate, Strategy), killSwitch);
            // Without any checkpoint, all of it is folded again, and by nobody who was told of the controls.
            Directory.Delete(Path.Combine(folder, "checkpoints"), recursive: true);
            RunEvents.RunEnded ended = await LearnerRun.Complete(folder, Options(steps: 3));

            Assert.True(killSwitch.Sprung);
            Assert.True(ended.Outcome == RunOutcome.Completed, ended.Reason);
            Assert.True(LearnerRun.Hashes(reference).SequenceEqual(LearnerRun.Hashes(folder)), $"other weights after a kill at event {number}");
            Assert.Equal(2, Events<ControlApplied>(folder).Length);
            LearnerRun.CheckJournal(folder);
        }
    }

    [Fact]
    public async Task A_hint_strategy_is_in_force_for_the_groups_of_later_steps_only()
    {
        string reference = NewFolder();
        await LearnerRun.Complete(reference, Options(steps: 4));
        string folder = NewFolder();
        await LearnerRun.Complete(folder, Options(steps: 2));
        await LearnerRun.Complete(folder, Options(steps: 4, Strategy));

        int[] before = [.. HintedSteps(reference).Where(step => step < 2)];
        Assert.NotEmpty(before);
        Assert.NotEqual(before, HintedSteps(reference));
        Assert.Equal(before, HintedSteps(folder));
    }

    [Fact]
    public async Task A_completed_run_goes_on_when_it_is_given_more_steps()
    {
        string folder = NewFolder();
        await LearnerRun.Complete(folder, Options(steps: 2));

        // What the run was started with stays; the control alone says otherwise.
        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, Options(steps: 2, new ControlRequest("ghpo.run.steps", "5", "me", Noon)));
        Assert.Equal((RunOutcome.Completed, 5), (ended.Outcome, ended.Steps));
        Assert.Equal((RunOutcome.Completed, 5), (await LearnerRun.Complete(folder, Options(steps: 2))) is var again ? (again.Outcome, again.Steps) : default);
    }

    [Fact]
    public void Settings_follow_the_controls_step_by_step_a_later_one_over_an_earlier_one()
    {
        GhpoSettings started = SettingsBinder.Load(null, []);
        var timeline = new ControlTimeline(started,
        [
            new ControlApplied(3, "ghpo.learning.rate", "0.001", "me", Noon),
            new ControlApplied(5, "ghpo.hints.levels", "[0.1, 0.9]", "me", Noon),
            new ControlApplied(5, "ghpo.learning.rate", "0.002", "me", Noon),
        ]);

        Assert.Equal(started, timeline.At(2) with { Hints = started.Hints, Data = started.Data });
        Assert.Equal([started.Learning.Rate, 0.001, 0.001, 0.002], new[] { 2, 3, 4, 5 }.Select(step => timeline.At(step).Learning.Rate));
        Assert.Equal([0.1, 0.9], timeline.Newest.Hints.Levels);
        Assert.Equal([3, 5], timeline.Changes);
    }

    [Theory]
    [InlineData("rollout.group-size=16", "ghpo.rollout.group-size cannot change within a run")]
    [InlineData("rollout.group-size=16", "ghpo fork")]
    [InlineData("learning.rat=1", "did you mean ghpo.learning.rate?")]
    [InlineData("learning.rate=-1", "must be at least 0")]
    [InlineData("rollout.slots=4", "a worker must have room for one group")]
    public void A_setting_that_cannot_change_is_refused_with_the_way_out(string change, string expected) => Assert.Contains(
        expected,
        Assert.Throws<UserErrorException>(() => LiveSettings.With(SettingsBinder.Load(null, []), SettingOverride.Parse(change))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Every_live_setting_can_be_given_the_value_it_has()
    {
        GhpoSettings settings = SettingsBinder.Load(null, []);
        foreach (string key in LiveSettings.Keys)
        {
            string value = LiveSettings.ValueOf(settings, key);
            Assert.Equal(SettingsWriter.Write(settings), SettingsWriter.Write(LiveSettings.With(settings, new SettingOverride(key, value, key))));
        }
    }

    private static LearnerRunOptions Options(int steps, params ImmutableArray<ControlRequest> requests) =>
        new(Steps: steps, Groups: 2, Problems: 4, CheckpointEvery: 2) { Requests = requests };

    private static ImmutableArray<T> Events<T>(string folder) => [.. LearnerRun.Journal(folder).Events(LearnerActor.JournalId).OfType<T>()];

    private static int[] HintedSteps(string folder) =>
        [.. LearnerRun.Journal(folder).Events(HintScheduleActor.JournalId).OfType<HintProtocol.HintRaised>().Select(hint => hint.Group.Step).Distinct()];

    private string NewFolder() => Directory.CreateDirectory(Path.Combine(_root.Path, $"run-{_folders++}")).FullName;
}
