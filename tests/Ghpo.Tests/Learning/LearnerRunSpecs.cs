using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Tests.Journal;
using Ghpo.Tests.Problems;
using Xunit;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Learning;

/// <summary>What must hold whatever the journal is kept in.</summary>
public abstract class LearnerRunSpecs : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private int _folders;

    public void Dispose()
    {
        TestJournal.Drop(_root.Path);
        _root.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Chooses the journal of a new run folder.</summary>
    private protected abstract void Prepare(string folder);

    [Fact]
    public async Task A_run_takes_its_steps_and_ends_with_a_checkpoint_and_its_evaluations()
    {
        string folder = NewFolder();
        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, new LearnerRunOptions());

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.Equal(3, ended.Steps);
        Assert.Equal(Path.Combine(folder, "checkpoints/step-000003"), ended.ModelFolder);
        Assert.Equal(3, LearnerRun.Hashes(folder).Length);
        Assert.Equal([0, 2, 3], Events<PolicyEvaluated>(folder).Select(evaluated => evaluated.Result.Version.Value));
        Assert.Equal([2, 3], Events<CheckpointTaken>(folder).Select(taken => taken.NextStep));
        LearnerRun.CheckJournal(folder);
    }

    [Fact]
    public async Task The_order_in_which_groups_arrive_does_not_matter()
    {
        string forwards = NewFolder();
        string backwards = NewFolder();
        await LearnerRun.Complete(forwards, new LearnerRunOptions());
        await LearnerRun.Complete(backwards, new LearnerRunOptions(Reversed: true));

        Assert.Equal(LearnerRun.Hashes(forwards), LearnerRun.Hashes(backwards));
        Assert.Equal(StateOf(forwards), StateOf(backwards));
    }

    [Theory]
    [InlineData(LearnerActor.JournalId, HintStrategy.Ladder)]
    [InlineData(CurriculumActor.JournalId, HintStrategy.Ladder)]
    [InlineData(HintScheduleActor.JournalId, HintStrategy.Memory)]
    public async Task Killed_after_any_event_a_run_ends_as_if_it_had_not_been(string victim, HintStrategy strategy)
    {
        LearnerRunOptions options = Options(victim, strategy);
        string reference = NewFolder();
        await LearnerRun.Complete(reference, options);
        long events = LearnerRun.Journal(reference).Entries(victim).Last().SequenceNumber;

        for (long number = 1; number <= events; number++)
        {
            await RequireSameResult(reference, options, new KillSwitch(victim, number, refuse: false), $"{victim} killed after event {number}");
        }
    }

    [Theory]
    [InlineData(LearnerActor.JournalId, 1)]
    [InlineData(LearnerActor.JournalId, 3)]
    [InlineData(LearnerActor.JournalId, 6)]
    [InlineData(CurriculumActor.JournalId, 2)]
    [InlineData(HintScheduleActor.JournalId, 2)]
    public async Task An_event_that_cannot_be_written_is_done_again(string victim, long number)
    {
        LearnerRunOptions options = Options(victim, HintStrategy.Ladder);
        string reference = NewFolder();
        await LearnerRun.Complete(reference, options);

        await RequireSameResult(reference, options, new KillSwitch(victim, number, refuse: true), $"event {number} of {victim} refused");
    }

    [Fact]
    public async Task A_process_that_ends_in_the_middle_is_resumed_where_it_was()
    {
        string reference = NewFolder();
        await LearnerRun.Complete(reference, new LearnerRunOptions(Steps: 4));

        // The first life commits three steps, one more than its newest checkpoint covers.
        string folder = NewFolder();
        await using (LearnerRun first = await LearnerRun.Start(folder, new LearnerRunOptions(Steps: 4)))
        {
            await first.Sample(steps: 3);
            await first.Committed(3);
        }

        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, new LearnerRunOptions(Steps: 4));

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.Equal(LearnerRun.Hashes(reference), LearnerRun.Hashes(folder));
        Assert.Equal([1, 2], Events<EpochStarted>(folder).Select(started => started.Epoch));
        LearnerRun.CheckJournal(folder);
    }

    [Fact]
    public async Task A_damaged_newest_checkpoint_gives_way_to_the_one_before_with_the_same_result()
    {
        string reference = NewFolder();
        await LearnerRun.Complete(reference, new LearnerRunOptions(Steps: 5, CheckpointEvery: 1));

        string folder = NewFolder();
        await LearnerRun.Complete(folder, new LearnerRunOptions(Steps: 3, CheckpointEvery: 1));
        Assert.Equal(["step-000002", "step-000003"], Checkpoints(folder));
        File.WriteAllText(Path.Combine(folder, "checkpoints/step-000003/weights"), "cut");
        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, new LearnerRunOptions(Steps: 5, CheckpointEvery: 1));

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.Equal(LearnerRun.Hashes(reference), LearnerRun.Hashes(folder));
        LearnerRun.CheckJournal(folder);
    }

    [Fact]
    public async Task Without_any_whole_checkpoint_the_run_is_folded_from_the_base_model_and_the_last_checkpoint_made_again()
    {
        string folder = NewFolder();
        await LearnerRun.Complete(folder, new LearnerRunOptions());
        ImmutableArray<string> hashes = LearnerRun.Hashes(folder);
        Directory.Delete(Path.Combine(folder, "checkpoints"), recursive: true);

        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, new LearnerRunOptions());

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.Equal(hashes, LearnerRun.Hashes(folder));
        Assert.EndsWith(hashes[^1], File.ReadAllText(Path.Combine(ended.ModelFolder!, "weights")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fold_that_gives_other_weights_refuses_the_resume_and_names_step_and_hashes()
    {
        string folder = NewFolder();
        await LearnerRun.Complete(folder, new LearnerRunOptions());
        Directory.Delete(Path.Combine(folder, "checkpoints"), recursive: true);
        int before = Events<object>(folder).Length;

        RunEvents.RunEnded ended = await LearnerRun.Complete(
            folder, new LearnerRunOptions { Trainer = () => new LearnerFakeTrainer("another base") });

        Assert.Equal(RunOutcome.Failed, ended.Outcome);
        Assert.Contains("step 0 folded again gives weights", ended.Reason, StringComparison.Ordinal);
        Assert.Contains(LearnerRun.Hashes(folder)[0], ended.Reason, StringComparison.Ordinal);
        Assert.Equal(before, Events<object>(folder).Length);
    }

    [Fact]
    public async Task Without_determinism_a_fold_that_gives_other_weights_goes_on_with_them()
    {
        string folder = NewFolder();
        await LearnerRun.Complete(folder, new LearnerRunOptions(Deterministic: false));
        Directory.Delete(Path.Combine(folder, "checkpoints"), recursive: true);

        RunEvents.RunEnded ended = await LearnerRun.Complete(
            folder, new LearnerRunOptions(Steps: 3, Deterministic: false) { Trainer = () => new LearnerFakeTrainer("another base") });

        Assert.Equal((RunOutcome.Completed, 3), (ended.Outcome, ended.Steps));
    }

    [Fact]
    public async Task The_next_step_is_sampled_while_a_checkpoint_is_being_written()
    {
        using var written = new ManualResetEventSlim();
        string folder = NewFolder();
        var options = new LearnerRunOptions(Steps: 4, CheckpointEvery: 1)
        {
            Trainer = () => new LearnerFakeTrainer { BeforeSave = () => written.Wait(TimeSpan.FromSeconds(20)) },
        };
        await using (LearnerRun run = await LearnerRun.Start(folder, options))
        {
            // Both steps settle; the second is trained once the checkpoint of the first is written.
            await run.Sample(steps: 2);
            written.Set();
            await run.Committed(2);
        }

        object[] events = [.. Events<object>(folder)];
        int taken = Array.FindIndex(events, fact => fact is CheckpointTaken);
        Assert.Equal([1, 1, 1], events[..taken].OfType<GroupSettled>().Select(settled => settled.Group.Group.Step).Where(step => step == 1));
        Assert.Single(events[..taken].OfType<StepCommitted>());
    }

    [Fact]
    public async Task With_staleness_a_killed_learner_folds_its_groups_again_under_the_versions_they_were_sampled_under()
    {
        var options = new LearnerRunOptions(Steps: 4, Staleness: 1, CheckpointEvery: 10);
        for (long number = 4; number <= 16; number += 4)
        {
            string folder = NewFolder();
            RunEvents.RunEnded ended = await LearnerRun.Complete(folder, options, new KillSwitch(LearnerActor.JournalId, number, refuse: false));

            Assert.Equal(RunOutcome.Completed, ended.Outcome);
            LearnerRun.CheckJournal(folder, staleness: 1);
        }
    }

    [Fact]
    public async Task A_failure_in_training_ends_the_run_with_its_reason()
    {
        RunEvents.RunEnded ended = await LearnerRun.Complete(
            NewFolder(), new LearnerRunOptions { Trainer = () => new LearnerFakeTrainer { FailAt = 1 } });

        Assert.Equal(RunOutcome.Failed, ended.Outcome);
        Assert.Equal("training step 1: the loss is NaN", ended.Reason);
    }

    [Fact]
    public async Task The_token_budget_ends_the_run_after_the_step_that_spends_it()
    {
        string folder = NewFolder();
        await LearnerRun.Complete(folder, new LearnerRunOptions(Steps: 50));
        long afterTwo = Events<StepCommitted>(folder)[1].Report.TotalRolloutTokens;

        string budgeted = NewFolder();
        RunEvents.RunEnded ended = await LearnerRun.Complete(budgeted, new LearnerRunOptions(Steps: 50, TokenBudget: afterTwo - 1));

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.Equal(2, ended.Steps);
        Assert.Contains("budget", ended.Reason, StringComparison.Ordinal);
        Assert.Equal([0, 2], Events<PolicyEvaluated>(budgeted).Select(evaluated => evaluated.Result.Version.Value));
    }

    [Fact]
    public async Task A_stopped_run_finishes_the_step_being_sampled_and_is_resumed_without_a_trace()
    {
        string reference = NewFolder();
        await LearnerRun.Complete(reference, new LearnerRunOptions(Steps: 4));

        string folder = NewFolder();
        await using (LearnerRun run = await LearnerRun.Start(folder, new LearnerRunOptions(Steps: 4)))
        {
            await run.Sample(steps: 1);
            await run.Opened(1);
            Assert.Null((await run.Learner.Ask<LearnerView>(new GetLearner(), TestContext.Current.CancellationToken)).LastStep);
            run.Learner.Tell(new StopAfterStep());
            Assert.Equal(1, (await run.Learner.Ask<LearnerView>(new GetLearner(), TestContext.Current.CancellationToken)).LastStep);
            await run.Sample();
            RunEvents.RunEnded stopped = await run.Ended;
            Assert.Equal((RunOutcome.Stopped, 2), (stopped.Outcome, stopped.Steps));
            Assert.Equal(Path.Combine(folder, "checkpoints/step-000002"), stopped.ModelFolder);
        }

        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, new LearnerRunOptions(Steps: 4));
        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.Equal(LearnerRun.Hashes(reference), LearnerRun.Hashes(folder));
        Assert.Equal(Events<PolicyEvaluated>(reference).Length, Events<PolicyEvaluated>(folder).Length);
        LearnerRun.CheckJournal(folder);
    }

    [Fact]
    public async Task A_completed_run_that_is_started_again_ends_at_once()
    {
        string folder = NewFolder();
        await LearnerRun.Complete(folder, new LearnerRunOptions());
        int before = Events<object>(folder).Length;

        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, new LearnerRunOptions());

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.Equal(before + 1, Events<object>(folder).Length);
    }

    private static LearnerRunOptions Options(string victim, HintStrategy strategy) =>
        new(Steps: 3, Groups: 2, Problems: 3, CheckpointEvery: 2, Victim: victim)
        {
            Hints = new HintSettings(strategy, [0.25, 0.5], 0.5, HintUnit.Characters, 0),
        };

    private static string[] Checkpoints(string folder) =>
        [.. Directory.GetDirectories(Path.Combine(folder, "checkpoints")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static ImmutableArray<T> Events<T>(string folder) => [.. LearnerRun.Journal(folder).Events(LearnerActor.JournalId).OfType<T>()];

    /// <summary>What curriculum and hint schedule have become, as bytes.</summary>
    private static (string Curriculum, string Hints) StateOf(string folder)
    {
        CurriculumState curriculum = CurriculumState.Empty;
        foreach (object fact in LearnerRun.Journal(folder).Events(CurriculumActor.JournalId))
        {
            curriculum = fact is CurriculumProtocol.StepPlanned planned
                ? curriculum.Apply(planned)
                : curriculum.Apply((CurriculumProtocol.OutcomeRecorded)fact);
        }

        HintState hints = HintState.Empty(0);
        foreach (object fact in LearnerRun.Journal(folder).Events(HintScheduleActor.JournalId))
        {
            hints = fact is HintProtocol.HintRaised raised ? hints.Apply(raised) : hints.Apply((HintProtocol.GroupReleased)fact);
        }

        var serializer = new GhpoEventSerializer(null);
        return (Convert.ToHexString(serializer.ToBinary(curriculum)), Convert.ToHexString(serializer.ToBinary(hints)));
    }

    private async Task RequireSameResult(string reference, LearnerRunOptions options, KillSwitch killSwitch, string what)
    {
        string folder = NewFolder();
        RunEvents.RunEnded ended = await LearnerRun.Complete(folder, options, killSwitch);

        Assert.True(killSwitch.Sprung, what);
        Assert.True(ended.Outcome == RunOutcome.Completed, $"{what}: {ended.Reason}");
        Assert.True(LearnerRun.Hashes(reference).SequenceEqual(LearnerRun.Hashes(folder)), $"{what}: the weights differ");
        Assert.True(StateOf(reference) == StateOf(folder), $"{what}: curriculum or hints differ");
        LearnerRun.CheckJournal(folder);
    }

    private string NewFolder()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_root.Path, $"run-{_folders++}")).FullName;
        Prepare(folder);
        return folder;
    }
}
