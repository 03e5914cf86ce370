using System.Globalization;
using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Inspection;
using static Ghpo.Learning.SteeringProtocol;

namespace Ghpo.Learning;

/// <summary>What users order while the run goes on. Each order is in the journal before it is obeyed, and before it is answered.</summary>
public sealed partial class LearnerActor
{
    /// <summary>The pipeline has been told that no step follows: it will not ask for one again.</summary>
    private bool _saidLast;

    /// <summary>A user wants a checkpoint after the step in hand.</summary>
    private bool _checkpointAsked;

    /// <summary>The first step that nothing has been sampled or learned for.</summary>
    private int FirstUnopened => Math.Max(_opened + 1, _state.NextStep + (Training ? 1 : 0));

    /// <summary>Why no order can be taken at all; null: one can.</summary>
    private string? Deaf => _phase switch
    {
        Phase.Restoring => "the run is being brought to where its journal is; try again when it samples",
        Phase.Serving => null,
        _ => "the run is about to end",
    };

    private void Steer(SteerRun command)
    {
        string? problem = Deaf ?? (command.Order, _state.Pause) switch
        {
            (RunOrder.Pause, { } pause) => $"the run is paused already, by {pause.By} since {Clock(pause.At)}",
            (RunOrder.Resume, null) => "the run is not paused",
            (RunOrder.Checkpoint, _) when _state.NextStep == 0 => "no step is committed yet, so there is nothing to keep",
            (RunOrder.Checkpoint, _) when _covered == _state.NextStep && !Training => $"{FolderOf(_covered)} holds all that is learned",
            _ => null,
        };
        if (problem is not null)
        {
            Sender.Tell(new NotSteered(problem));
            return;
        }

        Persist(new RunSteered(command.Order, _state.NextStep, command.By, _time.GetUtcNow()), steered =>
        {
            _state = _state.Apply(steered);
            Sender.Tell(Obey(steered.Order));
            Context.System.EventStream.Publish(new RunEvents.RunOrdered(steered.Order, steered.By));
        });
    }

    private void Note(SteerMember command)
    {
        if (Deaf is { } problem)
        {
            Sender.Tell(new NotSteered(problem));
            return;
        }

        Persist(
            new MemberSteered(command.Order, command.Member, _state.NextStep, command.By, _time.GetUtcNow()),
            steered => Sender.Tell(new Steered($"noted before the commit of step {steered.Step}", steered.Step)));
    }

    private Steered Obey(RunOrder order)
    {
        int from = FirstUnopened;
        switch (order)
        {
            case RunOrder.Pause:
                return new Steered(from > _state.NextStep ? $"paused: step {from - 1} is finished, step {from} waits" : $"paused: step {from} waits", from);
            case RunOrder.Resume:
                _clock.Resumed();
                AnswerParked();
                return new Steered($"resumed: step {from} is next", from);
            case RunOrder.Stop:
                Context.Parent.Tell(new StopNoted());
                Stop();
                return new Steered($"stopping: the last step is {_lastStep}, then a checkpoint", _lastStep!.Value + 1);
            default:
                _checkpointAsked = true;
                if (!Training)
                {
                    AfterStep();
                }

                return new Steered(
                    _checkpointAsked ? $"a checkpoint will be taken after step {_state.NextStep}" : $"a checkpoint is being taken: {FolderOf(_state.NextStep)}", _state.NextStep);
        }
    }

    private void Change(ChangeSetting command)
    {
        string place = $"run set {command.Key} {command.Value}";
        var change = new SettingOverride(command.Key, command.Value, place);
        GhpoSettings inForce = Timeline.Newest;
        GhpoSettings changed;
        try
        {
            changed = LiveSettings.With(inForce, change);
        }
        catch (UserErrorException mistake)
        {
            Sender.Tell(new NotSteered(mistake.Message, Misused: true));
            return;
        }

        string value = LiveSettings.ValueOf(changed, change.FullPath);
        string? problem = Deaf
            ?? (!LiveSettings.KeysWhileRunning.Contains(change.FullPath)
                ? $"{place}: {change.FullPath} is read when a process starts: `run stop`, then `ghpo resume {inForce.Run.Name} --set {change.Path}={command.Value}`"
                : value == LiveSettings.ValueOf(inForce, change.FullPath) ? $"{change.FullPath} is {value} already" : StepsProblem(inForce, changed));
        if (problem is not null)
        {
            Sender.Tell(new NotSteered(problem));
            return;
        }

        Persist(new LearnerProtocol.ControlApplied(FirstUnopened, change.FullPath, value, command.By, _time.GetUtcNow()), applied =>
        {
            _state = _state.Apply(applied);
            _settings = LearnerSettings.Of(Timeline.Newest, _settings.Folder);
            // Before any step is opened that it is in force for.
            TellHintSettings();
            AnswerParked();
            Sender.Tell(new Steered($"{applied.Key} = {applied.Value} from step {applied.FromStep} on", applied.FromStep));
            Context.System.EventStream.Publish(new RunEvents.SettingChanged(applied.Key, applied.Value, applied.FromStep, applied.By));
        });
    }

    /// <summary>Steps that are begun are learned, and a pipeline that was told of the end does not ask again.</summary>
    private string? StepsProblem(GhpoSettings inForce, GhpoSettings changed) =>
        changed.Run.Steps == inForce.Run.Steps ? null
        : _saidLast ? $"the last step is under way; when the run has ended, `ghpo resume {inForce.Run.Name} --set run.steps={changed.Run.Steps}` goes on"
        : changed.Run.Steps < FirstUnopened ? $"{FirstUnopened} steps are begun already; run.steps cannot be less"
        : null;

    private static string Clock(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
