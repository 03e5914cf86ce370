using Akka.Actor;
using Akka.Event;
using Ghpo.Curriculum;
using Ghpo.Inspection;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Learning.TrainerProtocol;

namespace Ghpo.Learning;

/// <summary>From the end of recovery to the start of an epoch: the weights are brought to where the journal is.</summary>
public sealed partial class LearnerActor
{
    /// <summary>What is folded again: a state that holds the groups and hashes of the committed steps that the weights lack.</summary>
    private LearnerState fold = LearnerState.Empty;

    private IActorRef? replay;

    private void Restore()
    {
        Context.Watch(trainer);
        Ask(Activities.Restoring, new Restore(
            [.. state.Checkpoints.Reverse().Take(settings.Checkpoints.Keep).Select(checkpoint => Path.Combine(settings.Folder, checkpoint.Folder))]));
    }

    private void OnRestored(Restored restored)
    {
        trainerWork.Dequeue();
        if (phase == Phase.Ended)
        {
            return;
        }

        foreach (string invalid in restored.Invalid)
        {
            log.Warning("A checkpoint is not used: {Reason}. Resuming from {Source}", invalid, restored.Folder ?? "the base model");
        }

        covered = restored.Version.Value;
        if (covered > state.NextStep)
        {
            End(RunOutcome.Failed, $"checkpoint {restored.Folder} is at step {covered}, but the journal ends at step {state.NextStep}: "
                + "they are of different runs, or the journal was cut; put the journal back that belongs to it");
        }
        else if (covered < state.CheckpointStep)
        {
            replay = Context.Watch(Context.ActorOf(LearnerReplay.Props(covered)));
        }
        else
        {
            Refold(state);
        }
    }

    private void Refold(LearnerState source)
    {
        fold = source;
        RefoldFrom(covered);
    }

    private void RefoldFrom(int step)
    {
        if (step == state.NextStep)
        {
            fold = LearnerState.Empty;
            Persist(new EpochStarted(state.Epoch + 1, time.GetUtcNow()), Serve);
            return;
        }

        Ask(Activities.Restoring, new Train(step, state.Epoch + 1, [.. fold.GroupsOf(step).Values]));
    }

    private void OnRefolded(Trained trained)
    {
        string expected = fold.CommittedHashes[trained.Step];
        if (trained.PolicyHash != expected)
        {
            End(RunOutcome.Failed, $"step {trained.Step} folded again gives weights {trained.PolicyHash}, but the journal has {expected}: "
                + "base model, settings or software differ from those the run was started with; resume with what it was started with");
            return;
        }

        RefoldFrom(trained.Step + 1);
    }

    private void Serve(EpochStarted started)
    {
        state = state.Apply(started);
        phase = Phase.Serving;
        clock = new LearnerClock(time);
        Timers.StartPeriodicTimer(nameof(TellNotesAgain), new TellNotesAgain(), NotesPatience);

        if (state.NextStep > 0)
        {
            curriculum.Tell(new CurriculumProtocol.CloseStep(state.NextStep - 1));
        }

        foreach (SettledGroup group in state.Settled.Where(step => step.Key >= state.NextStep).SelectMany(step => step.Value.Values))
        {
            notes.Tell(group);
        }

        AfterStep();
        if (phase == Phase.Serving)
        {
            Ask(Activities.Publishing, new Publish(state.Epoch));
        }
    }
}
