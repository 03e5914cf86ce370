using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Xunit;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Runs;

/// <summary>Whole runs with the real trainer whose settings change half-way.</summary>
public sealed class ControlledRunTests : IDisposable
{
    private static readonly ImmutableArray<ControlRequest> Requests =
    [
        new("ghpo.run.steps", "4", "me", DateTimeOffset.UnixEpoch),
        new("ghpo.learning.kl-beta", "0.5", "me", DateTimeOffset.UnixEpoch),
        new("ghpo.learning.iterations", "2", "me", DateTimeOffset.UnixEpoch),
    ];

    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task A_run_that_gets_more_steps_and_a_penalty_half_way_is_replayed_and_resumed_with_them()
    {
        GhpoSettings started = _tiny.Settings("run.steps=2");
        string folder = _tiny.NewFolder();
        await RunSession.Complete(TinyRun.Create(folder, started).Run);
        RunEvents.RunEnded ended = await RunSession.Complete(Create(folder, started, Requests));
        Assert.Equal((RunOutcome.Completed, 4), (ended.Outcome, ended.Steps));
        TinyRun.RequireSound(folder, steps: 4);
        Assert.Equal([0, 0, 2, 2], TinyRun.Commits(folder).Select(step => step.Report.Learning.Kl > 0 ? 2 : 0));

        // From the base model on: without the controls the third step comes out differently.
        ControlTimeline controls = Controls(folder, started);
        Assert.Equal(3, controls.Controls.Count);
        Assert.Empty(Replay(folder, started, controls).Faults);
        Assert.Contains("step 2 gives weights", Assert.Single(Replay(folder, started, new ControlTimeline(started, [])).Faults.Take(1)), StringComparison.Ordinal);

        Directory.Delete(Path.Combine(folder, "checkpoints"), recursive: true);
        Assert.Equal((RunOutcome.Completed, 4), (await RunSession.Complete(Create(folder, started, []))) is var again ? (again.Outcome, again.Steps) : default);
    }

    private static RunContext Create(string folder, GhpoSettings started, ImmutableArray<ControlRequest> requests)
    {
        RunContext run = RunContextFactory.Create("tiny", folder, Controls(folder, started), requests, TimeProvider.System);
        var tutor = new Tutor(run.Tokenizer, started.Run.Seed);
        return run with { CreateEngine = () => new TutoredEngine(run.CreateEngine(), tutor) };
    }

    private static ControlTimeline Controls(string folder, GhpoSettings started) =>
        new(started, [.. TinyRun.Journal(folder).Events(LearnerActor.JournalId).OfType<ControlApplied>()]);

    private static ReplayResult Replay(string folder, GhpoSettings started, ControlTimeline controls) => new JournalReplay(TinyRun.Journal(folder), folder, controls)
        .Fold(() => RunContextFactory.CreateTrainer(started, evaluation: () => null), to: 3, fromNewest: false, verify: true, _ => { }, _ => { });
}
