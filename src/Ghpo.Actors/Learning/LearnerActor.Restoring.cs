using Akka.Actor;
using Akka.Event;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Inspection;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Learning.TrainerProtocol;

namespace Ghpo.Learning;

/// <summary>From the end of recovery to the start of an epoch: the weights are brought to where the journal is.</summary>
public sealed partial class LearnerActor
{
    /// <summary>What is folded again: a state that holds the groups and hashes of the committed steps that the weights lack.</summary>
    private LearnerState _fold = LearnerState.Empty;

    private IActorRef? _replay;

    private void Restore()
    {
        Context.Watch(_trainer);
        Ask(Activities.Restoring, new Restore(
            [.. _state.KeptCheckpoints(_settings.Checkpoints.Keep).Reverse().Select(checkpoint => Path.Combine(_settings.Folder, checkpoint.Folder))]));
    }

    private void OnRestored(Restored restored)
    {
        _trainerWork.Dequeue();
        if (_phase == Phase.Ended)
        {
            return;
        }

        foreach (string invalid in restored.Invalid)
        {
            _log.Warning("A checkpoint is not used: {Reason}. Resuming from {Source}", invalid, restored.Folder ?? "the base model");
        }

        _covered = restored.Version.Value;
        if (_covered > _state.NextStep)
        {
            End(RunOutcome.Failed, $"checkpoint {restored.Folder} is at step {_covered}, but the journal ends at step {_state.NextStep}: "
                + "they are of different runs, or the journal was cut; put the journal back that belongs to it");
        }
        else if (_covered < _state.CheckpointStep)
        {
            _replay = Context.Watch(Context.ActorOf(LearnerReplay.Props(_covered)));
        }
        else
        {
            Refold(_state);
        }
    }

    private void OnReplayed(LearnerReplay.Replayed replayed)
    {
        Context.Unwatch(_replay);
        Refold(replayed.State);
    }

    private void Refold(LearnerState source)
    {
        _fold = source;
        if (_covered < _state.NextStep && _fold.GroupsOf(_covered).IsEmpty)
        {
            End(RunOutcome.Failed, $"step {_covered} cannot be folded again: no checkpoint that is whole covers it, and the journal does not hold its tokens any more "
                + "(they are pruned, or stayed with the run that this one was forked from); put a checkpoint folder back from a copy");
            return;
        }

        RefoldFrom(_covered);
    }

    private void RefoldFrom(int step)
    {
        if (step == _state.NextStep)
        {
            _fold = LearnerState.Empty;
            Begin();
            return;
        }

        Ask(Activities.Restoring, Learn(step, _state.Epoch + 1, _fold));
    }

    /// <summary>The epoch, and with it in one write what users asked for before it.</summary>
    private void Begin()
    {
        object[] facts = [new EpochStarted(_state.Epoch + 1, _time.GetUtcNow()), .. RequestedControls];
        int toJournal = facts.Length;
        PersistAll(facts, fact =>
        {
            _state = fact is EpochStarted started ? _state.Apply(started) : _state.Apply((ControlApplied)fact);
            if (--toJournal == 0)
            {
                Serve();
            }
        });
    }

    private void TellHintSettings()
    {
        ControlTimeline timeline = Timeline;
        _hints.Tell(new HintProtocol.FollowSettings([.. timeline.Changes.Select(step => new HintSettingsFrom(step, timeline.At(step).Hints))]));
    }

    private void OnRefolded(Trained trained)
    {
        string expected = _fold.CommittedHashes[trained.Step];
        if (trained.PolicyHash != expected && !_controlled.Started.Run.Deterministic)
        {
            _log.Warning(
                "Step {Step} folded again gives weights {Hash}, but the journal has {Expected}; the run is not deterministic and goes on with the new ones",
                trained.Step, trained.PolicyHash, expected);
        }
        else if (trained.PolicyHash != expected)
        {
            End(RunOutcome.Failed, $"step {trained.Step} folded again gives weights {trained.PolicyHash}, but the journal has {expected}: "
                + "base model, settings or software differ from those the run was started with; resume with what it was started with");
            return;
        }

        RefoldFrom(trained.Step + 1);
    }

    private void Serve()
    {
        TellHintSettings();
        _phase = Phase.Serving;
        _clock = new LearnerClock(_time);
        Timers.StartPeriodicTimer(nameof(TellNotesAgain), new TellNotesAgain(), NotesPatience);

        if (_state.NextStep > 0)
        {
            _curriculum.Tell(new CurriculumProtocol.CloseStep(_state.NextStep - 1));
        }

        foreach (SettledGroup group in _state.Settled.Where(step => step.Key >= _state.NextStep).SelectMany(step => step.Value.Values))
        {
            _notes.Tell(group);
        }

        AfterStep();
        if (_phase == Phase.Serving)
        {
            Ask(Activities.Publishing, new Publish(_state.Epoch));
        }
    }
}
