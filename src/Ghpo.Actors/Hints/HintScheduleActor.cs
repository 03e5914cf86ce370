using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Ghpo.Journal;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Hints;

/// <summary>
/// Decides how much of its solution a group sees, and remembers where each problem was solved.
/// <para>Lifecycle: recovers by folding its journal (from the newest snapshot on), then answers. A level above 0 is in the journal before it is
/// answered, so a group goes on at its level after a crash of anyone. All commands are idempotent: askers repeat them.</para>
/// <para>Many groups of a step fail at about the same time, and each waits for its hint with an idle place in a worker. So the commands that have
/// arrived while a write was under way are decided together, in order, and share the next write.</para>
/// <para>Failure: a journal that cannot be written stops the actor; its parent starts it again and it recovers.</para>
/// </summary>
public sealed class HintScheduleActor : JournalledActor
{
    public const string JournalId = "hints";

    /// <summary>Events between snapshots, at least.</summary>
    private const int SnapshotEvery = 1000;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly HintSettings _started;
    private readonly List<(object Command, IActorRef Asker)> _waiting = [];
    private ImmutableArray<HintSettingsFrom> _changes = [];
    private HintState _state;
    private int _sinceSnapshot;

    /// <param name="staleness">η, see <see cref="HintState"/>.</param>
    public HintScheduleActor(HintSettings settings, int staleness)
    {
        _started = settings;
        _state = HintState.Empty(staleness);

        Recover<SnapshotOffer>(offer => _state = (HintState)offer.Snapshot with { Staleness = staleness });
        Recover<HintRaised>(Replay);
        Recover<GroupReleased>(Replay);

        Command<OpenGroups>(Wait);
        Command<RaiseHint>(Wait);
        Command<ReleaseGroup>(Wait);
        Command<CommitWaiting>(_ => Commit());
        Command<FollowSettings>(follow => _changes = follow.Changes);
        Command<GetProblemHint>(query => Sender.Tell(new ProblemHintView(query.Problem, _state.Memory.GetValueOrDefault(query.Problem))));
        Command<GetHints>(_ => Sender.Tell(new HintView([.. SettingsOf(int.MaxValue).Levels], [.. _state.Open.Values], _state.Memory.Count)));

        Command<SaveSnapshotSuccess>(saved => DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(failed => _log.Warning(failed.Cause, "Hint snapshot not saved; recovery replays more of the journal"));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(failed => _log.Warning(failed.Cause, "Old hint snapshots not deleted"));
    }

    public override string PersistenceId => JournalId;

    public static Props Props(HintSettings settings, int staleness) =>
        Akka.Actor.Props.Create(() => new HintScheduleActor(settings, staleness));

    private HintSettings SettingsOf(int step) => _changes.LastOrDefault(change => change.Step <= step)?.Settings ?? _started;

    private void Replay(object written)
    {
        _state = Apply(_state, written);
        _sinceSnapshot++;
    }

    private void Wait(object command)
    {
        _waiting.Add((command, Sender));
        if (_waiting.Count == 1)
        {
            Self.Tell(CommitWaiting.Token);
        }
    }

    private void Commit()
    {
        HintState state = _state;
        var events = new List<object>();
        var answers = new List<(IActorRef Asker, object Answer)>();
        foreach ((object command, IActorRef asker) in _waiting)
        {
            (object answer, object[] caused) = command switch
            {
                OpenGroups open => Open(state, open),
                RaiseHint raise => Raise(state, raise),
                ReleaseGroup release => Release(state, release),
                _ => throw new InvalidOperationException($"{command} is no command of the hint schedule"),
            };
            state = caused.Aggregate(state, Apply);
            events.AddRange(caused);
            answers.Add((asker, answer));
        }

        _waiting.Clear();
        int toJournal = events.Count;
        if (toJournal == 0)
        {
            Answer(answers);
            return;
        }

        PersistAll(events, written =>
        {
            _state = Apply(_state, written);
            if (--toJournal == 0)
            {
                // Not sooner: a snapshot is filed under the number of the last event of the write.
                SnapshotIfDue(events.Count);
                Answer(answers);
            }
        });
    }

    private void SnapshotIfDue(int written)
    {
        _sinceSnapshot += written;
        if (_sinceSnapshot >= SnapshotEvery)
        {
            _sinceSnapshot = 0;
            SaveSnapshot(_state);
        }
    }

    private void Answer(List<(IActorRef Asker, object Answer)> answers) => answers.ForEach(given => given.Asker.Tell(given.Answer, Self));

    private (object Answer, object[] Events) Open(HintState state, OpenGroups command)
    {
        ImmutableArray<GroupAttempt> attempts = [.. command.Groups.Select(group => HintLadder.Open(SettingsOf(group.Group.Step), state, group))];
        return (new GroupsOpened(attempts),
            [.. attempts.Where(attempt => attempt.HintRatio > 0 && state.LevelOf(attempt.Group) is null).Select(Raised)]);
    }

    private (object Answer, object[] Events) Raise(HintState state, RaiseHint command)
    {
        GroupAttempt failed = command.Failed;
        GroupAttempt level = state.LevelOf(failed.Group) ?? failed with { Attempt = 0 };
        if (failed.Attempt < level.Attempt)
        {
            return (new HintGiven(level), []);
        }

        if (state.IsReleased(failed.Group))
        {
            return (new LadderExhausted(failed.Group), []);
        }

        if (failed.Attempt > level.Attempt)
        {
            return (new Status.Failure(new InvalidOperationException(
                $"Group {failed.Group} failed attempt {failed.Attempt}, but was given no attempt after {level.Attempt}.")), []);
        }

        if (HintLadder.Next(SettingsOf(level.Group.Step), level) is not { } next)
        {
            return (new LadderExhausted(failed.Group), []);
        }

        GroupAttempt given = next with { TokensSpent = level.TokensSpent + command.Tokens };
        return (new HintGiven(given), [Raised(given)]);
    }

    private static (object Answer, object[] Events) Release(HintState state, ReleaseGroup command) => (
        new ReleaseNoted(command.Group),
        state.IsReleased(command.Group) ? [] : [new GroupReleased(command.Group, command.Problem, command.HintRatio, command.Solved)]);

    private static HintState Apply(HintState state, object written) => written switch
    {
        HintRaised raised => state.Apply(raised),
        GroupReleased released => state.Apply(released),
        _ => throw new InvalidOperationException($"{written} is no event of the hint schedule"),
    };

    private static HintRaised Raised(GroupAttempt attempt) =>
        new(attempt.Group, attempt.Problem, attempt.Attempt, attempt.HintRatio, attempt.TokensSpent);

    private sealed class CommitWaiting
    {
        public static readonly CommitWaiting Token = new();
    }
}
