using System.Collections.Immutable;
using System.Globalization;
using Ghpo.Dispatch;
using Ghpo.Learning;

namespace Ghpo.Inspection;

/// <summary>What the run waits for.</summary>
/// <param name="Sentence">What waits for whom, since when.</param>
/// <param name="Culprit">Whom it waits for, as a member's or stage's name; "" where nobody is.</param>
/// <param name="Since">When the wait began.</param>
/// <param name="Stalled">It takes longer than anything of its kind should.</param>
public sealed record Diagnosis(string Sentence, string Culprit, DateTimeOffset Since, bool Stalled);

/// <summary>A stage of the pipeline and when something last moved in it.</summary>
public sealed record StageSeen(RunEvents.StageDepth Depth, DateTimeOffset Since);

/// <summary>A member, and when it last answered or said anything.</summary>
/// <param name="Asked">The oldest question that it has not answered; null: none.</param>
/// <param name="Doing">What it was at when it was last heard.</param>
/// <param name="Groups">Groups in its hands then.</param>
/// <param name="Progress">Something that grows while it works; for workers tokens.</param>
/// <param name="ProgressAt">When it last grew.</param>
/// <param name="LongestSilence">The longest one that ended by itself.</param>
public sealed record MemberSeen(
    string Name, DateTimeOffset Heard, DateTimeOffset? Asked, string Doing, int Groups, long Progress, DateTimeOffset ProgressAt, TimeSpan LongestSilence)
{
    public static MemberSeen New(string name, DateTimeOffset now) => new(name, now, null, "starting", 0, 0, now, TimeSpan.Zero);
}

/// <summary>
/// Who waits for whom: a fold over what members answer and the run tells, with the time of each handed in. Names a stall some seconds after something has
/// stopped, and tells work that takes long from work that has stopped by the longest silence that has ended by itself before.
/// <code>
/// learner ◀─ groups awaited ◀─ delivery ◀─ classification ◀─ verification ◀─ rollout ◀─ dispatcher ◀─ workers
///    └──────▶ trainer (restoring, training, publishing, evaluating, checkpointing)
/// </code>
/// Whoever is nearest to the learner and does not move is at fault; what lies behind it only waits.
/// </summary>
public sealed partial record StallWatch(
    DateTimeOffset Began,
    LearnerProtocol.LearnerView? Learner,
    string Activity,
    DateTimeOffset ActivitySince,
    RunEvents.TrainerProgress? Trainer,
    DateTimeOffset TrainerAt,
    TimeSpan LongestTrainerSilence,
    DateTimeOffset SettledAt,
    ImmutableSortedDictionary<string, StageSeen> Stages,
    ImmutableSortedDictionary<string, MemberSeen> Members,
    string? Regrouping,
    RunEvents.RunEnded? Ended)
{
    /// <summary>All workers and what waits for one, as the dispatcher last said; null before.</summary>
    public WorkerProtocol.WorkersView? Pool { get; init; }

    /// <summary>Since when groups wait for a worker while none has any in hand; null: they do not.</summary>
    public DateTimeOffset? UnsampledSince { get; init; }

    /// <summary>A member that is asked answers within this time, whatever it does.</summary>
    public static readonly TimeSpan Prompt = TimeSpan.FromSeconds(3);

    /// <summary>A silence longer than this, and than twice any before, is a stall.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);

    /// <summary>A process that begins loads code and forms a cluster; on a busy machine that takes a while.</summary>
    public static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(25);

    /// <summary>Workers of other nodes report every second; this long after the last report the next one is overdue.</summary>
    public static readonly TimeSpan ReportDue = TimeSpan.FromSeconds(2);

    public const string RunName = "run";
    public const string LearnerName = "learner";
    public const string HintsName = "hints";
    public const string CurriculumName = "curriculum";
    public const string DispatcherName = "dispatcher";
    public const string VerificationName = "verification";
    public const string PipelineName = "pipeline";

    public static StallWatch New(DateTimeOffset now) => new(
        now,
        null,
        "starting",
        now,
        null,
        now,
        TimeSpan.Zero,
        now,
        ImmutableSortedDictionary<string, StageSeen>.Empty,
        ImmutableSortedDictionary<string, MemberSeen>.Empty,
        null,
        null);

    public StallWatch Asked(string member, DateTimeOffset now)
    {
        MemberSeen seen = Members.GetValueOrDefault(member) ?? MemberSeen.New(member, now);
        return this with { Members = Members.SetItem(member, seen with { Asked = seen.Asked ?? now }) };
    }

    /// <summary>A member has answered.</summary>
    public StallWatch Heard(string member, string doing, int groups, long progress, DateTimeOffset now)
    {
        MemberSeen seen = Members.GetValueOrDefault(member) ?? MemberSeen.New(member, now);
        TimeSpan silence = seen.Asked is { } asked ? now - asked : TimeSpan.Zero;
        bool moved = progress != seen.Progress || groups == 0;
        return this with
        {
            Members = Members.SetItem(member, seen with
            {
                Heard = now,
                Asked = null,
                Doing = doing,
                Groups = groups,
                Progress = progress,
                ProgressAt = moved ? now : seen.ProgressAt,
                LongestSilence = silence > seen.LongestSilence ? silence : seen.LongestSilence,
            }),
        };
    }

    public StallWatch Heard(LearnerProtocol.LearnerView view, DateTimeOffset now)
    {
        StallWatch heard = Heard(LearnerName, view.Activity, 0, view.Step, now);
        bool sameWork = view.Activity == Activity && view.Step == Learner?.Step && view.Epoch == Learner.Epoch;
        bool settled = view.SettledGroups != Learner?.SettledGroups || view.Step != Learner.Step;
        return (sameWork ? heard : heard.EndOfTrainerWork(now)) with
        {
            Learner = view,
            Activity = view.Activity,
            ActivitySince = sameWork ? ActivitySince : now,
            SettledAt = settled ? now : SettledAt,
            Regrouping = null,
        };
    }

    public StallWatch Heard(RunEvents.TrainerProgress progress, DateTimeOffset now) => EndOfTrainerWork(now) with { Trainer = progress };

    /// <summary>The team is being started again, and with it everything that was heard of it is void.</summary>
    public StallWatch Regroups(string failure, DateTimeOffset now) => Regrouping is not null
        ? this with { Regrouping = failure }
        : New(now) with { Began = Began, Learner = Learner, Activity = "starting again", Regrouping = failure, LongestTrainerSilence = LongestTrainerSilence };

    public StallWatch Over(RunEvents.RunEnded ended) => this with { Ended = ended };

    /// <summary>Members that are gone: their silence says nothing.</summary>
    public StallWatch Only(IEnumerable<string> members)
    {
        HashSet<string> known = [.. members];
        return this with { Members = Members.RemoveRange(Members.Keys.Where(name => !known.Contains(name))) };
    }

    public Diagnosis Diagnose(DateTimeOffset now)
    {
        if (Ended is { } ended)
        {
            return new Diagnosis($"the run has ended: {ended.Reason ?? ended.Outcome.ToString()}", "", now, false);
        }

        if (Regrouping is { } failure)
        {
            return new Diagnosis($"the team is being started again, {Ago(ActivitySince, now)}, because: {failure}", RunName, ActivitySince, now - ActivitySince > Patience);
        }

        return (Learner is null ? null : Silent(RunName, "nobody would notice a member that fails", now))
            ?? Silent(LearnerName, "a write to the learner's journal has not come back", now)
            ?? Silent(HintsName, "a write to the hint schedule's journal has not come back", now)
            ?? Silent(CurriculumName, "a write to the curriculum's journal has not come back", now)
            ?? Silent(DispatcherName, "no worker gets a group", now)
            ?? Silent(VerificationName, "no answer is judged", now)
            ?? (Learner is null ? OfStart(now) : OfLearner(Learner, now));
    }

    /// <summary>A cluster, be it of one, comes before the run.</summary>
    private Diagnosis OfStart(DateTimeOffset now) => new($"the run is starting {Ago(Began, now)}", RunName, Began, now - Began > StartPatience);

    private Diagnosis OfLearner(LearnerProtocol.LearnerView learner, DateTimeOffset now)
    {
        bool first = learner.Published is null;
        bool trainerDue = Activity is not ("sampling" or "ended") && (first || learner.GroupsAwaited == 0);
        if (trainerDue)
        {
            return OfTrainer(first ? "workers wait for the epoch's first policy" : "all groups have settled", now);
        }

        if (IsHeldByPause(learner))
        {
            SteeringProtocol.RunSteered pause = learner.Pause!;
            return new Diagnosis(
                $"the run is paused before step {learner.Step}, by {pause.By} since {pause.At.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} UTC; `run resume` lets it go on",
                pause.By, pause.At, false);
        }

        if (learner.NotesAwaited && learner.GroupsAwaited == 0)
        {
            return new Diagnosis($"learner waits for curriculum and hint schedule to note the groups of step {learner.Step}, {Ago(SettledAt, now)}", CurriculumName, SettledAt, now - SettledAt > Patience);
        }

        string waits = $"learner waits for {learner.GroupsAwaited} of {learner.SettledGroups + learner.GroupsAwaited} groups of step {learner.Step}";
        return OfPipeline(waits, now) ?? OfWorkers(waits, now) ?? OfUnsampled(waits, now) ?? OfStages(waits, now) ?? OfTrainerBehind(waits, now)
            ?? (Where() is { Length: > 0 } places ? new Diagnosis($"{waits}; in flight: {places}", "rollout", SettledAt, false) : Nowhere(waits, now));
    }

    private Diagnosis OfTrainer(string why, DateTimeOffset now)
    {
        TimeSpan silence = now - (TrainerAt > ActivitySince ? TrainerAt : ActivitySince);
        string part = Trainer is { } progress && TrainerAt > ActivitySince ? $", part {progress.Done} of {progress.Of}" : "";
        bool stalled = silence > Tolerated(LongestTrainerSilence);
        return new Diagnosis(
            $"{why}; trainer is {Activity} (step {Learner!.Step}{part}) {Ago(ActivitySince, now)}{(stalled ? $", and silent for {Seconds(silence)}" : "")}",
            "trainer", ActivitySince, stalled);
    }

    /// <summary>Groups are awaited and everything that samples is well, but the trainer works behind and does not get on.</summary>
    private Diagnosis? OfTrainerBehind(string waits, DateTimeOffset now)
    {
        if (Activity is "sampling" or "ended" || Members.Values.Any(member => member.Groups > 0) || Stages.Values.Any(stage => stage.Depth.Groups > 0))
        {
            return null;
        }

        return OfTrainer(waits, now);
    }

    private static bool IsHeldByPause(LearnerProtocol.LearnerView learner) => learner.Pause is not null && learner.Opened < learner.Step;

    private Diagnosis? Silent(string member, string why, DateTimeOffset now) =>
        Members.GetValueOrDefault(member) is { Asked: { } asked } seen && now - asked > Prompt
            ? new Diagnosis($"{member} silent for {Seconds(now - seen.Heard)}: {why}", member, seen.Heard, now - asked > Tolerated(seen.LongestSilence))
            : null;

    private StallWatch EndOfTrainerWork(DateTimeOffset now)
    {
        TimeSpan silence = now - (TrainerAt > ActivitySince ? TrainerAt : ActivitySince);
        return this with
        {
            TrainerAt = now,
            LongestTrainerSilence = Activity != "sampling" && silence > LongestTrainerSilence ? silence : LongestTrainerSilence,
        };
    }

    private static TimeSpan Tolerated(TimeSpan longest) => longest * 2 > Patience ? longest * 2 : Patience;

    private static string Ago(DateTimeOffset since, DateTimeOffset now) => $"since {Seconds(now - since)}";

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.TotalSeconds):0} s");
}
