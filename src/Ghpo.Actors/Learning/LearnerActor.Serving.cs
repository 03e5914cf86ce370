using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Ghpo.Curriculum;
using Ghpo.Inspection;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Learning.TrainerProtocol;

namespace Ghpo.Learning;

/// <summary>An epoch: steps are opened, groups settle, steps are trained, until the run ends.</summary>
public sealed partial class LearnerActor
{
    /// <summary>The highest step that was opened in this epoch; −1: none.</summary>
    private int opened = -1;

    /// <summary>Set by a stop: the last step to be committed.</summary>
    private int? lastStep;

    private void Open(OpenStep command)
    {
        if (!parked.TryGetValue(command.Step, out HashSet<IActorRef>? askers))
        {
            parked[command.Step] = askers = [];
        }

        askers.Add(Sender);
        AnswerParked();
    }

    /// <summary>Answers every <see cref="OpenStep"/> that can be answered now.</summary>
    private void AnswerParked()
    {
        foreach (int step in parked.Keys.ToArray())
        {
            object? answer = phase is Phase.Ending or Phase.Ended || step >= settings.Steps || step > lastStep
                ? new NoMoreSteps(step)
                : phase == Phase.Serving && published is { } policy && LearnerDecisions.MayOpen(settings, step, policy.Version)
                    ? new StepOpened(step, state.Epoch, policy.Version, SettledIndexes(step))
                    : null;
            if (answer is null)
            {
                continue;
            }

            if (answer is StepOpened && step >= state.NextStep)
            {
                clock.Opened(step);
                opened = Math.Max(opened, step);
            }

            foreach (IActorRef asker in parked[step])
            {
                asker.Tell(answer);
            }

            parked.Remove(step);
        }
    }

    private ImmutableHashSet<int> SettledIndexes(int step) =>
        [.. step < state.NextStep ? Enumerable.Range(0, settings.GroupsPerStep) : state.GroupsOf(step).Keys];

    private void Settle(SettleGroup command)
    {
        GroupId id = command.Group.Group;
        if (state.HasSettled(id))
        {
            Sender.Tell(new GroupAccepted(id));
            return;
        }

        string? refusal = phase == Phase.Serving && published is { } policy
            ? LearnerDecisions.Refusal(settings, state, policy.Version, command.Group)
            : phase == Phase.Restoring || phase == Phase.Serving
                ? "it was sampled before this epoch"
                : "the run is over";
        if (refusal is not null)
        {
            log.Info("Group {Group} refused: {Reason}", id, refusal);
            Sender.Tell(new GroupRefused(id, refusal));
            return;
        }

        Persist(new GroupSettled(command.Group), settled =>
        {
            state = state.Apply(settled);
            clock.Settled(id.Step);
            Sender.Tell(new GroupAccepted(id));
            notes.Tell(settled.Group);
        });
    }

    private void TrainIfComplete()
    {
        int step = state.NextStep;
        if (phase == Phase.Serving && !Training && state.GroupsOf(step).Count == settings.GroupsPerStep && !notes.Awaits(step))
        {
            Ask(Activities.Training, new Train(step, state.Epoch, [.. state.GroupsOf(step).Values]));
        }
    }

    private void OnTrained(Trained trained)
    {
        trainerWork.Dequeue();
        if (phase == Phase.Restoring)
        {
            OnRefolded(trained);
        }
        else if (phase == Phase.Serving)
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

        (double rollout, double step) = clock.Commit(trained.Step);
        var context = new StepContext(
            trained.Step, trained.Version, state.Epoch, state.TotalRolloutTokens, rollout, step, settings.Rewards);
        StepReport report = StepReports.Of(context, [.. state.GroupsOf(trained.Step).Values], trained.Metrics);
        Persist(new StepCommitted(trained.Step, trained.Version, trained.PolicyHash, report), committed =>
        {
            state = state.Apply(committed);
            Ask(Activities.Publishing, new Publish(state.Epoch));
            curriculum.Tell(new CurriculumProtocol.CloseStep(committed.Step));
            Context.System.EventStream.Publish(new RunEvents.StepCompleted(committed.Report));
            AfterStep();
            TrainIfComplete();
        });
    }

    private void OnPublished(Published policy)
    {
        trainerWork.Dequeue();
        if (phase == Phase.Ended)
        {
            return;
        }

        published = new PolicyPublished(policy.Epoch, policy.Version, policy.Hash);
        foreach (IActorRef subscriber in subscribers)
        {
            subscriber.Tell(published);
        }

        AnswerParked();
        EndIfDone();
    }

    private void Stop()
    {
        // What is being sampled is finished, so that nothing sampled is lost; a step that nobody has begun is not.
        lastStep ??= Math.Max(opened, state.NextStep - 1);
        AnswerParked();
        if (phase == Phase.Serving && !Training)
        {
            AfterStep();
        }
    }

    /// <summary>
    /// What is due between two steps: checkpoint, evaluation, the end of the run. A checkpoint or evaluation that the trainer still works on is
    /// of this very step: the next one is trained after it.
    /// </summary>
    private void AfterStep()
    {
        string? completion = LearnerDecisions.Completion(settings, state);
        bool last = completion is not null || state.NextStep > lastStep;
        if (LearnerDecisions.CheckpointDue(settings, state, covered, last) && !trainerWork.Contains(Activities.Checkpointing))
        {
            Ask(Activities.Checkpointing, new SaveCheckpoint(state.NextStep, PathOf(state.NextStep)));
        }

        if (LearnerDecisions.EvaluationDue(settings, state, completion is not null) && !trainerWork.Contains(Activities.Evaluating))
        {
            Ask(Activities.Evaluating, new Evaluate());
        }

        if (last)
        {
            phase = Phase.Ending;
            AnswerParked();
            EndIfDone();
        }
    }

    private void OnCheckpointSaved(CheckpointSaved saved)
    {
        trainerWork.Dequeue();
        if (phase == Phase.Ended)
        {
            return;
        }

        Persist(new CheckpointTaken(saved.NextStep, FolderOf(saved.NextStep), saved.Hash), taken =>
        {
            state = state.Apply(taken);
            covered = taken.NextStep;
            SaveSnapshot(state);
            Context.System.EventStream.Publish(new RunEvents.CheckpointWritten(taken.NextStep, PathOf(taken.NextStep)));
            trainer.Tell(new DeleteCheckpoints(
                [.. state.Checkpoints.SkipLast(settings.Checkpoints.Keep).Select(old => Path.Combine(settings.Folder, old.Folder))]));
            EndIfDone();
        });
    }

    private void OnEvaluated(Evaluated evaluated)
    {
        trainerWork.Dequeue();
        if (phase == Phase.Ended)
        {
            return;
        }

        Persist(new PolicyEvaluated(evaluated.Result), measured =>
        {
            state = state.Apply(measured);
            Context.System.EventStream.Publish(new RunEvents.PolicyMeasured(measured.Result));
            EndIfDone();
        });
    }

    private void EndIfDone()
    {
        if (phase == Phase.Ending && trainerWork.Count == 0)
        {
            string? completion = LearnerDecisions.Completion(settings, state);
            End(completion is null ? RunOutcome.Stopped : RunOutcome.Completed, completion ?? "stopped on request");
        }
    }
}
