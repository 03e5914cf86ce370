using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Hints;

/// <summary>
/// Decides how much of its solution a group sees, and remembers where each problem was solved.
/// <para>Lifecycle: recovers by folding its journal (from the newest snapshot on), then answers. A level above 0 is in the journal before it is
/// answered, so a group goes on at its level after a crash of anyone. All commands are idempotent: askers repeat them.</para>
/// <para>Failure: a journal that cannot be written stops the actor; its parent starts it again and it recovers.</para>
/// </summary>
public sealed class HintScheduleActor : ReceivePersistentActor
{
    public const string JournalId = "hints";

    private const int SnapshotEvery = 1000;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly HintSettings _started;
    private ImmutableArray<HintSettingsFrom> _changes = [];
    private HintState _state;

    /// <param name="staleness">η, see <see cref="HintState"/>.</param>
    public HintScheduleActor(HintSettings settings, int staleness)
    {
        _started = settings;
        _state = HintState.Empty(staleness);

        Recover<SnapshotOffer>(offer => _state = (HintState)offer.Snapshot with { Staleness = staleness });
        Recover<HintRaised>(raised => _state = _state.Apply(raised));
        Recover<GroupReleased>(released => _state = _state.Apply(released));

        Command<OpenGroups>(Open);
        Command<RaiseHint>(Raise);
        Command<ReleaseGroup>(Release);
        Command<FollowSettings>(follow => _changes = follow.Changes);
        Command<GetHints>(_ => Sender.Tell(new HintView([.. SettingsOf(int.MaxValue).Levels], [.. _state.Open.Values], _state.Memory.Count)));

        Command<SaveSnapshotSuccess>(saved => DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1)));
        Command<SaveSnapshotFailure>(failed => _log.Warning(failed.Cause, "Hint snapshot not saved; recovery replays more of the journal"));
        Command<DeleteSnapshotsSuccess>(_ => { });
        Command<DeleteSnapshotsFailure>(failed => _log.Warning(failed.Cause, "Old hint snapshots not deleted"));
    }

    public override string PersistenceId => JournalId;

    public static Props Props(HintSettings settings, int staleness) =>
        Akka.Actor.Props.Create(() => new HintScheduleActor(settings, staleness));

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        base.OnPersistRejected(cause, @event, sequenceNr);
        Context.Stop(Self);
    }

    private HintSettings SettingsOf(int step) => _changes.LastOrDefault(change => change.Step <= step)?.Settings ?? _started;

    private void Open(OpenGroups command)
    {
        ImmutableArray<GroupAttempt> attempts = [.. command.Groups.Select(group => HintLadder.Open(SettingsOf(group.Group.Step), _state, group))];
        HintRaised[] started = [.. attempts.Where(attempt => attempt.HintRatio > 0 && _state.LevelOf(attempt.Group) is null).Select(Raised)];
        if (started.Length == 0)
        {
            Sender.Tell(new GroupsOpened(attempts));
            return;
        }

        int toJournal = started.Length;
        PersistAll(started, raised =>
        {
            Apply(raised);
            if (--toJournal == 0)
            {
                Sender.Tell(new GroupsOpened(attempts));
            }
        });
    }

    private void Raise(RaiseHint command)
    {
        GroupAttempt failed = command.Failed;
        GroupAttempt level = _state.LevelOf(failed.Group) ?? failed with { Attempt = 0 };
        if (failed.Attempt < level.Attempt)
        {
            Sender.Tell(new HintGiven(level));
        }
        else if (_state.IsReleased(failed.Group))
        {
            Sender.Tell(new LadderExhausted(failed.Group));
        }
        else if (failed.Attempt > level.Attempt)
        {
            Sender.Tell(new Status.Failure(new InvalidOperationException(
                $"Group {failed.Group} failed attempt {failed.Attempt}, but was given no attempt after {level.Attempt}.")));
        }
        else if (HintLadder.Next(SettingsOf(level.Group.Step), level) is { } next)
        {
            GroupAttempt given = next with { TokensSpent = level.TokensSpent + command.Tokens };
            Persist(Raised(given), raised =>
            {
                Apply(raised);
                Sender.Tell(new HintGiven(given));
            });
        }
        else
        {
            Sender.Tell(new LadderExhausted(failed.Group));
        }
    }

    private void Release(ReleaseGroup command)
    {
        if (_state.IsReleased(command.Group))
        {
            Sender.Tell(new ReleaseNoted(command.Group));
            return;
        }

        Persist(new GroupReleased(command.Group, command.Problem, command.HintRatio, command.Solved), released =>
        {
            _state = _state.Apply(released);
            Sender.Tell(new ReleaseNoted(released.Group));
            SnapshotIfDue();
        });
    }

    private void Apply(HintRaised raised)
    {
        _state = _state.Apply(raised);
        SnapshotIfDue();
    }

    private void SnapshotIfDue()
    {
        if (LastSequenceNr % SnapshotEvery == 0)
        {
            SaveSnapshot(_state);
        }
    }

    private static HintRaised Raised(GroupAttempt attempt) =>
        new(attempt.Group, attempt.Problem, attempt.Attempt, attempt.HintRatio, attempt.TokensSpent);
}
