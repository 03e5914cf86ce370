using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Rollout;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>Runs that are killed, stopped, or lose a member: whatever happens, they end as if it had not.</summary>
public sealed class InterruptedRunTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_run_killed_within_any_step_and_resumed_gives_the_same_weights_and_hints_as_one_that_was_not(int step)
    {
        string reference = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(reference, _tiny.Settings()).Run);

        // One group at a time, so that the tenth request of a step finds a group of that step settled: no two groups take ten together.
        string folder = _tiny.NewFolder();
        await KillAtRequest(folder, _tiny.Settings("rollout.workers=1", "rollout.slots=4"), step, request: 10);
        Assert.Equal(step, TinyRun.Commits(folder).Length);
        ImmutableHashSet<GroupId> settled = [.. TinyRun.Settled(folder).Select(group => group.Group)];
        ILookup<GroupId, int> raised = TinyRun.Hints(folder).ToLookup(hint => hint.Group, hint => hint.Attempt);

        (RunContext run, Tutor tutor) = TinyRun.Create(folder, _tiny.Settings());
        RunEvents.RunEnded ended = await RunSession.Complete(run);

        Assert.Equal((RunOutcome.Completed, 3), (ended.Outcome, ended.Steps));
        TinyRun.RequireSound(folder, steps: 3);
        TinyRun.RequireSameRun(reference, folder);
        Assert.Equal([1, 2], TinyRun.Epochs(folder));

        // What had settled is not sampled again, what was open goes on at the level it had reached, and no attempt is made twice.
        Assert.DoesNotContain(tutor.Submitted, submitted => settled.Contains(submitted.Group));
        Assert.All(tutor.Submitted, submitted => Assert.True(submitted.Attempt >= raised[submitted.Group].DefaultIfEmpty(0).Max()));
        Assert.Equal(tutor.Submitted.Count, tutor.Submitted.Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_run_killed_again_and_again_leaves_a_sound_journal_that_folds_to_its_weights(int staleness)
    {
        GhpoSettings settings = _tiny.Settings($"rollout.staleness={staleness}", "checkpoints.every-steps=1");
        string folder = _tiny.NewFolder();
        int sessions = 0;
        RunEvents.RunEnded? ended = null;
        while (ended is null)
        {
            Assert.InRange(++sessions, 1, 30);
            (RunContext run, Tutor tutor) = TinyRun.Create(folder, settings);
            using var hold = new Hold(tutor, step: null, request: 9);
            RunSession session = await RunSession.Start(run);
            Task<RunEvents.RunEnded> end = session.Ended;
            if (await Task.WhenAny(hold.Reached, end) == end)
            {
                ended = await end;
            }

            ValueTask killed = session.DisposeAsync();
            hold.Release();
            await killed;
        }

        Assert.Equal((RunOutcome.Completed, 3), (ended.Outcome, ended.Steps));
        Assert.True(sessions > 2);
        TinyRun.RequireSound(folder, steps: 3, staleness);
        (RunContext again, _) = TinyRun.Create(_tiny.NewFolder(), settings);
        Assert.Equal(TinyRun.Hashes(folder)[^1], TinyRun.Fold(again, TinyRun.Settled(folder)));
        if (staleness == 0)
        {
            await RunSession.Complete(again);
            TinyRun.RequireSameRun(again.Folder, folder);
        }
    }

    [Fact]
    public async Task A_group_that_is_not_sampled_before_the_deadline_costs_an_epoch_and_changes_nothing_else()
    {
        string reference = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(reference, _tiny.Settings()).Run);

        string folder = _tiny.NewFolder();
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, _tiny.Settings("rollout.deadline=3s"));
        int requests = 0;
        tutor.BeforeSubmit = (group, _) =>
        {
            if (group.Step == 1 && Interlocked.Increment(ref requests) == 3)
            {
                Thread.Sleep(3500);
            }
        };
        RunEvents.RunEnded ended = await RunSession.Complete(run);

        Assert.Equal((RunOutcome.Completed, 3), (ended.Outcome, ended.Steps));
        Assert.True(TinyRun.Epochs(folder).Length > 1);
        TinyRun.RequireSound(folder, steps: 3);
        TinyRun.RequireSameRun(reference, folder);
    }

    [Fact]
    public async Task A_run_that_is_asked_to_stop_finishes_its_step_takes_a_checkpoint_and_can_be_resumed()
    {
        GhpoSettings settings = _tiny.Settings("run.steps=5", "checkpoints.every-steps=50");
        string reference = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(reference, settings).Run);

        string folder = _tiny.NewFolder();
        (RunContext first, Tutor tutor) = TinyRun.Create(folder, settings);
        RunEvents.RunEnded stopped;
        using (var hold = new Hold(tutor, step: 1, request: 3))
        {
            await using RunSession session = await RunSession.Start(first);
            await hold.Reached;
            session.StopRun();
            hold.Release();
            stopped = await session.Ended;
        }

        Assert.Equal(RunOutcome.Stopped, stopped.Outcome);
        Assert.InRange(stopped.Steps, 2, 4);
        Assert.Equal(Path.Combine(folder, $"checkpoints/step-{stopped.Steps:D6}"), stopped.ModelFolder);
        Assert.True(Directory.Exists(stopped.ModelFolder));
        Assert.Equal(stopped.Steps, TinyRun.Commits(folder).Length);
        Assert.Equal(stopped.Steps * 5, TinyRun.Settled(folder).Length);

        (RunContext second, Tutor resumed) = TinyRun.Create(folder, settings);
        RunEvents.RunEnded ended = await RunSession.Complete(second);

        Assert.Equal((RunOutcome.Completed, 5), (ended.Outcome, ended.Steps));
        Assert.All(resumed.Submitted, submitted => Assert.True(submitted.Group.Step >= stopped.Steps));
        TinyRun.RequireSound(folder, steps: 5);
        TinyRun.RequireSameRun(reference, folder);
    }

    [Fact]
    public async Task An_engine_that_fails_once_costs_an_epoch_and_changes_nothing_else()
    {
        string reference = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(reference, _tiny.Settings()).Run);

        string folder = _tiny.NewFolder();
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, _tiny.Settings());
        int requests = 0;
        tutor.BeforeSubmit = (group, _) =>
        {
            if (group.Step == 1 && Interlocked.Increment(ref requests) == 4)
            {
                throw new IOException("the device is lost");
            }
        };
        RunEvents.RunEnded ended = await RunSession.Complete(run);

        Assert.Equal((RunOutcome.Completed, 3), (ended.Outcome, ended.Steps));
        Assert.Equal([1, 2], TinyRun.Epochs(folder));
        TinyRun.RequireSound(folder, steps: 3);
        TinyRun.RequireSameRun(reference, folder);
    }

    [Fact]
    public async Task Logits_that_are_not_finite_end_the_run_at_once_with_the_engine_s_own_words()
    {
        string folder = _tiny.NewFolder();
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, _tiny.Settings());
        tutor.BeforeSubmit = (group, attempt) =>
        {
            if (group.Step == 1)
            {
                throw new NonFiniteLogitsException($"logits of group {group} are NaN");
            }
        };

        RunEvents.RunEnded ended = await RunSession.Complete(run);

        Assert.Equal((RunOutcome.Failed, 1), (ended.Outcome, ended.Steps));
        Assert.Matches(@"^logits of group 1/\d are NaN$", ended.Reason);
        Assert.Equal([1], TinyRun.Epochs(folder));
    }

    [Fact]
    public async Task A_user_s_mistake_that_shows_only_when_an_engine_is_made_ends_the_run_at_once()
    {
        string folder = _tiny.NewFolder();
        (RunContext run, _) = TinyRun.Create(folder, _tiny.Settings());
        int made = 0;

        RunEvents.RunEnded ended = await RunSession.Complete(run with
        {
            CreateEngine = () =>
            {
                Interlocked.Increment(ref made);
                throw new UserErrorException("model.device = cuda: there is none here");
            },
        });

        Assert.Equal((RunOutcome.Failed, "model.device = cuda: there is none here"), (ended.Outcome, ended.Reason));
        Assert.InRange(made, 1, 2);
    }

    private static async Task KillAtRequest(string folder, GhpoSettings settings, int step, int request)
    {
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, settings);
        using var hold = new Hold(tutor, step, request);
        RunSession session = await RunSession.Start(run);
        await hold.Reached;
        while (!TinyRun.Settled(folder).Any(group => group.Group.Step == step))
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        // The worker is let go only once its actor has been told to stop: it cannot begin anything new.
        ValueTask killed = session.DisposeAsync();
        hold.Release();
        await killed;
    }

    /// <summary>Stops every engine from a request of a step, or of a session, on, until it is released.</summary>
    private sealed class Hold : IDisposable
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _released = new();
        private int _requests;

        public Hold(Tutor tutor, int? step, int request) => tutor.BeforeSubmit = (group, _) =>
        {
            if (group.Step == (step ?? group.Step) && Interlocked.Increment(ref _requests) >= request)
            {
                _reached.TrySetResult();
                _released.Wait(Patience);
            }
        };

        public Task Reached => _reached.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

        public void Release() => _released.Set();

        public void Dispose() => _released.Set();
    }
}
