using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Inspection;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Learning.TrainerProtocol;

namespace Ghpo.Learning;

/// <summary>An epoch: steps are opened, groups settle, steps are trained, until the run ends.</summary>
public sealed partial class LearnerActor
{
    /// <summary>The highest step that was opened in this epoch; −1: none.</summary>
    private int _opened = -1;

    /// <summary>Set by a stop or a spent budget: the last step to be committed.</summary>
    private int? _lastStep;

    /// <summary>Who sampled the groups that settled in this epoch, until their step is committed.</summary>
    private readonly Dictionary<GroupId, string> _samplers = [];

    private void Open(OpenStep command)
    {
        if (!_parked.TryGetValue(command.Step, out HashSet<IActorRef>? askers))
        {
            _parked[command.Step] = askers = [];
        }

        askers.Add(Sender);
        AnswerParked();
    }

    /// <summary>Answers every <see cref="OpenStep"/> that can be answered now.</summary>
    private void AnswerParked()
    {
        foreach (int step in _parked.Keys.ToArray())
        {
            object? answer = _phase is Phase.Ending or Phase.Ended || step >= _settings.Steps || step > _lastStep
                ? new NoMoreSteps(step)
                : _phase == Phase.Serving && _state.Pause is null && _published is { } policy && LearnerDecisions.MayOpen(_settings, step, policy.Version)
                    ? new StepOpened(step, _state.Epoch, policy.Version, SettledIndexes(step))
                    : null;
            if (answer is null)
            {
                continue;
            }

            _saidLast |= answer is NoMoreSteps;
            if (answer is StepOpened && step >= _state.NextStep)
            {
                _clock.Opened(step);
                _opened = Math.Max(_opened, step);
            }

            foreach (IActorRef asker in _parked[step])
            {
                asker.Tell(answer);
            }

            _parked.Remove(step);
        }
    }

    private ImmutableHashSet<int> SettledIndexes(int step) =>
        [.. step < _state.NextStep ? Enumerable.Range(0, _settings.GroupsPerStep) : _state.GroupsOf(step).Keys];

    private void Settle(SettleGroup command)
    {
        GroupId id = command.Group.Group;
        if (_state.HasSettled(id))
        {
            Sender.Tell(new GroupAccepted(id));
            return;
        }

        string? refusal = _phase == Phase.Serving && _published is { } policy
            ? LearnerDecisions.Refusal(_settings, _state, policy.Version, command.Group)
            : _phase == Phase.Restoring || _phase == Phase.Serving
                ? "it was sampled before this epoch"
                : "the run is over";
        if (refusal is not null)
        {
            _log.Info("Group {Group} refused: {Reason}", id, refusal);
            Sender.Tell(new GroupRefused(id, refusal));
            return;
        }

        Persist(new GroupSettled(command.Group), settled =>
        {
            _state = _state.Apply(settled);
            _clock.Settled(id.Step);
            _samplers[id] = command.Worker;
            Sender.Tell(new GroupAccepted(id));
            _notes.Tell(settled.Group);
        });
    }

    private void TrainIfComplete()
    {
        int step = _state.NextStep;
        if (_phase == Phase.Serving && !Training && _state.GroupsOf(step).Count == _settings.GroupsPerStep && !_notes.Awaits(step))
        {
            Ask(Activities.Training, Learn(step, _state.Epoch, _state));
        }
    }

    private Train Learn(int step, long epoch, LearnerState source)
    {
        GhpoSettings settings = Timeline.At(step);
        return new Train(step, epoch, [.. source.GroupsOf(step).Values], settings.Learning, settings.Run.Steps);
    }

    private void OnTrained(Trained trained)
    {
        _trainerWork.Dequeue();
        if (_phase == Phase.Restoring)
        {
            OnRefolded(trained);
        }
        else if (_phase == Phase.Serving)
        {
            Commit(trained);
        }
    }

    private void Commit(Trained trained)
    {
        if (trained.Version.Value != trained.Step + 1)
        {
            End(RunOutcome.Failed, $"after step {trained.Step} the trainer is at {trained.Version}, not at v{trained.Step + 1}");
            return;
        }

        (double rollout, double step) = _clock.Commit(trained.Step);
        var context = new StepContext(
            trained.Step, trained.Version, _state.Epoch, _state.TotalRolloutTokens, rollout, step, _settings.Rewards, _controlled.LevelOf, WorkersOf(trained.Step));
        StepReport report = StepReports.Of(context, [.. _state.GroupsOf(trained.Step).Values], trained.Metrics);
        Persist(new StepCommitted(trained.Step, trained.Version, trained.PolicyHash, report), committed =>
        {
            _state = _state.Apply(committed);
            Ask(Activities.Publishing, new Publish(_state.Epoch));
            _curriculum.Tell(new CurriculumProtocol.CloseStep(committed.Step));
            _log.Info("Step {Step} is committed: {Version}, reward {Reward:0.000}", committed.Step, committed.Version, committed.Report.MeanReward);
            Context.System.EventStream.Publish(new RunEvents.StepCompleted(committed.Report));
            AfterStep();
            TrainIfComplete();
        });
    }

    /// <summary>How many workers sampled a step, which is over with it.</summary>
    private int? WorkersOf(int step)
    {
        GroupId[] groups = [.. _samplers.Keys.Where(group => group.Step == step)];
        int workers = groups.Select(group => _samplers[group]).Distinct().Count();
        foreach (GroupId group in groups)
        {
            _samplers.Remove(group);
        }

        return workers > 0 ? workers : null;
    }

    private void OnPublished(Published policy)
    {
        _trainerWork.Dequeue();
        if (_phase == Phase.Ended)
        {
            return;
        }

        _published = new PolicyPublished(policy.Epoch, policy.Version, policy.Hash);
        foreach (IActorRef subscriber in _subscribers)
        {
            subscriber.Tell(_published);
        }

        AnswerParked();
        EndIfDone();
    }

    private void Stop()
    {
        OpenNoMore();
        if (_phase == Phase.Serving && !Training)
        {
            AfterStep();
        }
    }

    private void StopBefore()
    {
        _lastStep = _state.NextStep - 1;
        Stop();
    }

    /// <summary>Steps that are being sampled are still trained, so that nothing sampled is lost. None is begun any more.</summary>
    private void OpenNoMore()
    {
        _lastStep ??= Math.Max(_opened, _state.NextStep - 1);
        AnswerParked();
    }

    /// <summary>
    /// What is due between two steps: checkpoint, evaluation, the end of the run. A checkpoint or evaluation that the trainer still works on is
    /// of this very step: the next one is trained after it.
    /// </summary>
    private void AfterStep()
    {
        string? completion = LearnerDecisions.Completion(_settings, _state);
        if (completion is not null)
        {
            OpenNoMore();
        }

        bool last = _state.NextStep > _lastStep;
        bool due = LearnerDecisions.CheckpointDue(_settings, _state, _covered, last) || (_checkpointAsked && _covered < _state.NextStep);
        if (due && !_trainerWork.Contains(Activities.Checkpointing))
        {
            _checkpointAsked = false;
            Ask(Activities.Checkpointing, new SaveCheckpoint(_state.NextStep, PathOf(_state.NextStep)));
        }

        if (LearnerDecisions.EvaluationDue(_settings, _state, last && completion is not null) && !_trainerWork.Contains(Activities.Evaluating))
        {
            Ask(Activities.Evaluating, new Evaluate());
        }

        if (last)
        {
            _phase = Phase.Ending;
            AnswerParked();
            EndIfDone();
        }
    }

    private void OnCheckpointSaved(CheckpointSaved saved)
    {
        _trainerWork.Dequeue();
        if (_phase == Phase.Ended)
        {
            return;
        }

        Persist(new CheckpointTaken(saved.NextStep, FolderOf(saved.NextStep), saved.Hash), taken =>
        {
            _state = _state.Apply(taken);
            _covered = taken.NextStep;
            SaveSnapshot(_state);
            Context.System.EventStream.Publish(new RunEvents.CheckpointWritten(taken.NextStep, PathOf(taken.NextStep)));
            Ask(Activities.Deleting, new DeleteCheckpoints(
                [.. _state.Checkpoints.Except(_state.KeptCheckpoints(_settings.Checkpoints.Keep)).Select(old => Path.Combine(_settings.Folder, old.Folder))]));
            EndIfDone();
        });
    }

    private void OnEvaluated(Evaluated evaluated)
    {
        _trainerWork.Dequeue();
        if (_phase == Phase.Ended)
        {
            return;
        }

        Persist(new PolicyEvaluated(evaluated.Result), measured =>
        {
            _state = _state.Apply(measured);
            Context.System.EventStream.Publish(new RunEvents.PolicyMeasured(measured.Result));
            EndIfDone();
        });
    }

    private void EndIfDone()
    {
        if (_phase == Phase.Ending && _trainerWork.Count == 0)
        {
            string? completion = LearnerDecisions.Completion(_settings, _state);
            End(completion is null ? RunOutcome.Stopped : RunOutcome.Completed, completion ?? "stopped on request");
        }
    }
}
