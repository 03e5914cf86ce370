using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Rollout;
using Xunit;
using static Ghpo.Dispatch.VerificationProtocol;
using static Ghpo.Dispatch.WorkerProtocol;
using static Ghpo.Inspection.RunEvents;

namespace Ghpo.Tests.Inspecting;

/// <summary>Each role stops in turn, on a clock of the test's. Whoever stopped is named, in less than 30 seconds.</summary>
public sealed class StallWatchTests
{
    private static readonly DateTimeOffset _noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private DateTimeOffset _now = _noon;
    private StallWatch _watch = StallWatch.New(_noon);
    private LearnerProtocol.LearnerView _learner = new(1, 5, new PolicyVersion(5), 21, 3, 4, "sampling", 5, Published: new PolicyVersion(5));
    private long _tokens;
    private Func<VerifiersView>? _judges;
    private DateTimeOffset _reported = _noon;
    private readonly HashSet<string> _said = [];

    [Fact]
    public void A_worker_that_falls_silent_in_decode_is_named_with_what_it_holds()
    {
        Live(seconds: 30);
        Stalls("rollout-1", @"^learner waits for 3 of 24 groups of step 5; rollout-1 silent for \d+ s in decode \(2 groups in hand\)$", worker: false);
        Live(seconds: 2);
        Assert.False(_watch.Diagnose(_now).Stalled);
    }

    [Fact]
    public void A_worker_that_answers_and_samples_nothing_is_named_too()
    {
        Live(seconds: 30);
        Stalls("rollout-1", @"rollout-1 has sampled nothing since \d+ s \(2 groups in hand, decode\)$", tokens: false);
    }

    [Fact]
    public void A_verifier_that_stops_is_named_by_its_stage()
    {
        Live(seconds: 30);
        Stalls("verification", @"^learner waits for 3 of 24 groups of step 5; verification holds 2 and has passed on nothing since \d+ s$", workerGroups: 0, verification: 2);
    }

    [Fact]
    public void A_journal_that_does_not_come_back_is_named_by_the_silence_of_its_actor()
    {
        foreach (string member in new[] { StallWatch.LearnerName, StallWatch.HintsName, StallWatch.CurriculumName })
        {
            _watch = StallWatch.New(_now);
            Live(seconds: 30);
            Stalls(member, $@"^{member} silent for \d+ s: a write to the .+ journal has not come back$", silent: member);
        }
    }

    [Fact]
    public void A_trainer_that_stops_in_the_middle_of_a_step_is_named_with_the_part_it_stopped_at()
    {
        Live(seconds: 30);
        _learner = _learner with { SettledGroups = 24, GroupsAwaited = 0, Activity = "training" };
        for (int i = 1; i <= 20; i++)
        {
            // Long, but it gets on: no stall.
            Live(seconds: 5, workerGroups: 0);
            _watch = _watch.Heard(new TrainerProgress(i, 40), _now);
            Assert.False(_watch.Diagnose(_now).Stalled);
        }

        Stalls("trainer", @"^all groups have settled; trainer is training \(step 5, part 20 of 40\) since \d+ s, and silent for \d+ s$", workerGroups: 0);
    }

    [Fact]
    public void A_worker_of_another_node_that_falls_silent_is_named_while_it_holds_groups_and_after_they_were_taken_from_it()
    {
        Live(seconds: 30, remote: 2);
        Stalls("w1", @"^learner waits for 3 of 24 groups of step 5; w1 silent for \d+ s in decode \(2 wait for another worker\)$", workerGroups: 0, remote: 2, remoteSilent: true);
        Assert.Contains(_said, sentence => sentence.EndsWith("s in decode (2 groups in hand)", StringComparison.Ordinal));
        Live(seconds: 2, remote: 2);
        Assert.False(_watch.Diagnose(_now).Stalled);
    }

    [Fact]
    public void A_worker_of_another_node_that_reports_and_samples_nothing_is_named()
    {
        Live(seconds: 30, workerGroups: 0, remote: 2);
        Stalls("w1", @"w1 has sampled nothing since \d+ s \(2 groups in hand, decode\)$", tokens: false, workerGroups: 0, remote: 2);
    }

    [Theory]
    [InlineData(WorkerState.Draining, "told to drain", @"3 wait for a worker since \d+ s, and w1 is draining since \d+ s \(told to drain\)$", "w1")]
    [InlineData(WorkerState.Fetching, "", @"3 wait for a worker since \d+ s, and w1 is fetching since \d+ s$", "w1")]
    [InlineData(WorkerState.Lost, "its session ended", @"3 wait for a worker since \d+ s, and w1 is lost since \d+ s \(its session ended\)$", "w1")]
    [InlineData(null, "", @"3 wait for a worker since \d+ s, and there is none$", "rollout")]
    public void Groups_that_no_worker_takes_are_a_stall_of_whoever_could(WorkerState? state, string why, string sentence, string culprit)
    {
        Live(seconds: 30, remote: 2);
        (Diagnosis stall, double after) = (_watch.Diagnose(_now), 0);
        for (; !stall.Stalled && after < 60; after++)
        {
            Second(worker: true, tokens: true, workerGroups: 0, verification: 0, silent: StallWatch.DispatcherName);
            _watch = _watch.Heard(new WorkersView(state is { } known ? [Remote(known, groups: 0, heard: _now) with { Why = why }] : [], PendingGroups: 3), _now);
            stall = _watch.Diagnose(_now);
        }

        Assert.Matches(sentence, stall.Sentence);
        Assert.Equal(culprit, stall.Culprit);
        Assert.InRange(after, 10, 29);
    }

    [Fact]
    public void A_dispatcher_that_stops_is_named()
    {
        Live(seconds: 30);
        Stalls(StallWatch.DispatcherName, @"^dispatcher silent for \d+ s: no worker gets a group$", silent: StallWatch.DispatcherName);
    }

    [Theory]
    [InlineData("classification")]
    [InlineData("delivery")]
    public void A_classifier_and_a_delivery_that_stop_are_named_by_their_stage(string stage)
    {
        Live(seconds: 30);
        Stalls(stage, $@"{stage} holds 2 and has passed on nothing since \d+ s$", workerGroups: 0, stuck: stage);
    }

    [Fact]
    public void A_pipeline_that_says_nothing_more_is_named_while_groups_are_awaited()
    {
        Live(seconds: 30);
        Stalls("pipeline", @"^learner waits for 3 of 24 groups of step 5; pipeline silent for \d+ s: no group gets from one stage to the next$", silent: "pipeline");
    }

    [Fact]
    public void Groups_that_are_awaited_and_that_nobody_has_are_a_stall_of_the_pipeline()
    {
        Live(seconds: 30);
        Stalls("pipeline", @"^learner waits for 3 of 24 groups of step 5; nobody has any in hand since \d+ s$", workerGroups: 0);
    }

    [Fact]
    public void A_run_s_actor_that_supervises_nobody_any_more_is_named()
    {
        Live(seconds: 30);
        Stalls(StallWatch.RunName, @"^run silent for \d+ s: nobody would notice a member that fails$", silent: StallWatch.RunName);
    }

    [Fact]
    public void A_run_that_does_not_get_to_its_start_is_a_stall()
    {
        _watch = _watch.Asked(StallWatch.RunName, _now);
        Assert.Equal((false, "the run is starting since 5 s"), (_watch.Diagnose(_noon.AddSeconds(5)).Stalled, _watch.Diagnose(_noon.AddSeconds(5)).Sentence));
        Assert.False(_watch.Diagnose(_noon.AddSeconds(24)).Stalled);
        Assert.Equal((true, StallWatch.RunName), (_watch.Diagnose(_noon.AddSeconds(26)).Stalled, _watch.Diagnose(_noon.AddSeconds(26)).Culprit));
    }

    [Fact]
    public void A_worker_that_was_idle_when_it_fell_silent_is_named_with_what_it_has_been_given_since()
    {
        Live(seconds: 30);
        Live(seconds: 5, workerGroups: 0);
        Stalls("rollout-1", @"rollout-1 silent for \d+ s in decode \(2 groups in hand\)$", worker: false, workerGroups: 2);
    }

    [Fact]
    public void A_worker_of_this_process_that_is_silent_is_named_also_after_its_groups_were_taken_from_it()
    {
        Live(seconds: 30);
        _now = _now.AddSeconds(1);
        _watch = _watch.Asked("rollout-1", _now);
        _now = _now.AddSeconds(13);
        foreach (string member in new[] { StallWatch.RunName, StallWatch.LearnerName, StallWatch.HintsName, StallWatch.CurriculumName })
        {
            _watch = _watch.Heard(member, "", 0, 0, _now);
        }

        _watch = _watch.Heard(new PipelineProgress(5, 21, 24, "sampling", 0, [new StageDepth("rollout", 2, 16, 40)]), _now);
        _watch = _watch.Heard(new WorkersView([Remote(WorkerState.Suspect, 0, _noon) with { Name = "rollout-1", IsLocal = true }], PendingGroups: 2), _now);
        Diagnosis stall = _watch.Diagnose(_now);
        Assert.Matches(@"; rollout-1 silent for \d+ s in decode \(2 wait for another worker\)$", stall.Sentence);
        Assert.Equal(("rollout-1", true), (stall.Culprit, stall.Stalled));
    }

    [Fact]
    public void A_verifier_node_that_keeps_answers_is_named_and_not_the_stage_that_waits_for_it()
    {
        Live(seconds: 30);
        DateTimeOffset frozen = _now;
        _judges = () => new VerifiersView([new VerifierView("v1", "akka.tcp://ghpo@10.0.0.8:4053", 4, 0, null, 90), new VerifierView("v2", "akka.tcp://ghpo@10.0.0.9:4053", 4, 3, frozen, 70)]);
        Stalls("v2", @"^learner waits for 3 of 24 groups of step 5; verifier v2 has kept 3 answers, the oldest since \d+ s \(verification holds 2\)$", workerGroups: 0, verification: 2);
    }

    [Fact]
    public void Notes_that_curriculum_and_hints_do_not_take_are_named()
    {
        Live(seconds: 30);
        _learner = _learner with { SettledGroups = 24, GroupsAwaited = 0, NotesAwaited = true };
        Stalls(StallWatch.CurriculumName, @"^learner waits for curriculum and hint schedule to note the groups of step 5, since \d+ s$", workerGroups: 0);
    }

    [Fact]
    public void Work_that_took_long_before_and_ended_is_no_stall_when_it_takes_as_long_again()
    {
        Live(seconds: 30);
        for (int round = 0; round < 2; round++)
        {
            _learner = _learner with { SettledGroups = 24, GroupsAwaited = 0, Activity = "training" };
            Live(seconds: 40, workerGroups: 0, stallAllowed: round == 0);
            _learner = _learner with { Step = _learner.Step + 1, SettledGroups = 0, GroupsAwaited = 24, Activity = "sampling", Opened = _learner.Opened + 1 };
            Live(seconds: 3);
        }
    }

    [Fact]
    public void A_pause_is_no_stall_and_says_who_paused()
    {
        Live(seconds: 5);
        _learner = _learner with { Step = 6, SettledGroups = 0, GroupsAwaited = 24, Pause = new SteeringProtocol.RunSteered(RunOrder.Pause, 6, "me@here", _noon) };
        Live(seconds: 100, workerGroups: 0);
        Assert.Equal("the run is paused before step 6, by me@here since 12:00:00 UTC; `run resume` lets it go on", _watch.Diagnose(_now).Sentence);
    }

    [Fact]
    public void A_team_that_starts_again_is_said_to_with_the_reason()
    {
        Live(seconds: 5);
        _watch = _watch.Regroups("the disk is full", _now);
        Assert.Contains("because: the disk is full", _watch.Diagnose(_now).Sentence, StringComparison.Ordinal);
    }

    /// <summary>The run goes on like this, and somebody is named for it, in time.</summary>
    private void Stalls(
        string culprit, string sentence, bool worker = true, bool tokens = true, int workerGroups = 2, int verification = 0, string? silent = null, int remote = 0, bool remoteSilent = false,
        string? stuck = null)
    {
        Diagnosis stall = _watch.Diagnose(_now);
        int after = 0;
        for (; !stall.Stalled && after < 60; after++)
        {
            Second(worker, tokens, workerGroups, verification, silent, remote, remoteSilent, stuck);
            stall = _watch.Diagnose(_now);
            _said.Add(stall.Sentence);
        }

        Assert.Equal((culprit, true), (stall.Culprit, stall.Stalled));
        Assert.Matches(sentence, stall.Sentence);
        Assert.InRange(after, 10, 29);
    }

    private void Live(int seconds, int workerGroups = 2, bool stallAllowed = false, int remote = 0)
    {
        for (int second = 0; second < seconds; second++)
        {
            Second(worker: true, tokens: true, workerGroups, verification: 0, silent: null, remote);
            Assert.True(stallAllowed || !_watch.Diagnose(_now).Stalled, _watch.Diagnose(_now).Sentence);
        }
    }

    /// <summary>One second of a run: everybody is asked, and those who live answer.</summary>
    private void Second(bool worker, bool tokens, int workerGroups, int verification, string? silent, int remote = 0, bool remoteSilent = false, string? stuck = null)
    {
        foreach (string member in new[] { StallWatch.RunName, StallWatch.LearnerName, StallWatch.HintsName, StallWatch.CurriculumName, StallWatch.DispatcherName, "rollout-1" })
        {
            if (_watch.Members.GetValueOrDefault(member)?.Asked is null)
            {
                _watch = _watch.Asked(member, _now);
            }
        }

        DateTimeOffset answered = _now.AddMilliseconds(5);
        _watch = silent == StallWatch.RunName ? _watch : _watch.Heard(StallWatch.RunName, "", 0, 0, answered);
        _watch = silent == StallWatch.LearnerName ? _watch : _watch.Heard(_learner, answered);
        _watch = silent == StallWatch.HintsName ? _watch : _watch.Heard(StallWatch.HintsName, "", 0, 0, answered);
        _watch = silent == StallWatch.CurriculumName ? _watch : _watch.Heard(StallWatch.CurriculumName, "", 0, 0, answered);
        _tokens += tokens ? 100 : 0;
        _reported = remoteSilent ? _reported : answered.AddMilliseconds(-700);

        // As the dispatcher does it: who is silent for five seconds is suspect, and has nothing in hand any more.
        bool suspect = answered - _reported > TimeSpan.FromSeconds(5);
        int held = suspect ? 0 : remote;
        WorkerView own = Remote(WorkerState.Serving, workerGroups, answered) with { Name = "rollout-1", IsLocal = true };
        WorkerView[] others = remote > 0 ? [own, Remote(suspect ? WorkerState.Suspect : WorkerState.Serving, held, _reported)] : [own];
        _watch = silent == StallWatch.DispatcherName
            ? _watch
            : _watch.Heard(new WorkersView([.. others], PendingGroups: remote - held, LeasedGroups: held + workerGroups), answered);
        _watch = worker ? _watch.Heard("rollout-1", "decode", workerGroups, _tokens, answered) : _watch;
        _watch = _judges is null ? _watch : _watch.Heard(_judges(), answered);
        _watch = silent == "pipeline" ? _watch : _watch.Heard(new PipelineProgress(5, 21, 24, "sampling", _tokens,
            [new StageDepth("rollout", workerGroups, 16, 40), new StageDepth("verification", verification, 2, 38), new StageDepth("classification", stuck == "classification" ? 2 : 0, 2, 38), new StageDepth("delivery", stuck == "delivery" ? 2 : 0, 2, 38)]), answered);
        _now = _now.AddSeconds(1);
    }

    private WorkerView Remote(WorkerState state, int groups, DateTimeOffset heard) => new(
        "w1", "akka.tcp://ghpo@10.0.0.7:4053", state, new PolicyVersion(5), groups, RunningSequences: groups * 8, TokensPerSecond: 100, heard, Since: _noon, Why: "")
    {
        TokensSampled = _tokens,
    };
}
