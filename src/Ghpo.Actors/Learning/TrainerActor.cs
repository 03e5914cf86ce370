using System.Collections.Immutable;
using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Policy;
using static Ghpo.Learning.TrainerProtocol;

namespace Ghpo.Learning;

/// <summary>
/// Owns the <see cref="IPolicyTrainer"/> and the thread it runs on: to be created on a pinned dispatcher, so that hours of arithmetic never
/// hold a thread of the pool.
/// <para>Lifecycle: the trainer is made at <see cref="Restore"/>, on this thread, because torch binds thread counts to threads; a further
/// Restore throws it away and makes a new one. The snapshot whose hash a step was reported with is kept until it is published, so what the
/// journal names and what workers get are the same tensors.</para>
/// <para>Failure: whatever a command throws is logged with its stack and answered as <see cref="TrainerFailed"/>; the actor stays, and waits
/// for a Restore. Where another learner may have taken the run over, nothing is written, deleted or published, which is answered as <see cref="Superseded"/>.</para>
/// </summary>
public sealed class TrainerActor : ReceiveActor
{
    private static readonly TimeSpan _progressInterval = TimeSpan.FromMilliseconds(250);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Func<IPolicyTrainer> _create;
    private readonly Action<PolicySnapshot> _publish;
    private readonly Action _requireHold;
    private readonly EventStream _events = Context.System.EventStream;
    private IPolicyTrainer? _trainer;
    private PolicySnapshot? _trained;

    /// <param name="create">Makes a trainer that holds the base model. Called on the actor's thread.</param>
    /// <param name="publish">Takes over a snapshot (the policy store). Called on the actor's thread.</param>
    /// <param name="requireHold">Throws if another learner may have taken the run over: its files are not to be touched then. Called on the actor's thread.</param>
    public TrainerActor(Func<IPolicyTrainer> create, Action<PolicySnapshot> publish, Action requireHold)
    {
        _create = create;
        _publish = publish;
        _requireHold = requireHold;

        On<Restore>(_ => "restoring the policy", RestoreNewest);
        On<Train>(command => $"training step {command.Step}", TrainStep);
        On<Publish>(command => $"publishing the policy of epoch {command.Epoch}", PublishPolicy);
        On<SaveCheckpoint>(command => $"writing checkpoint {command.Folder}", Save);
        On<Evaluate>(_ => "evaluating the policy", _ => new Evaluated(Trainer.Evaluate()));
        On<DeleteCheckpoints>(_ => "deleting old checkpoints", Delete);
    }

    private IPolicyTrainer Trainer =>
        _trainer ?? throw new InvalidOperationException($"The trainer was given work before {nameof(Restore)}.");

    public static Props Props(Func<IPolicyTrainer> create, Action<PolicySnapshot> publish, Action requireHold) =>
        Akka.Actor.Props.Create(() => new TrainerActor(create, publish, requireHold));

    protected override void PostStop() => DropTrainer();

    private void On<TCommand>(Func<TCommand, string> task, Func<TCommand, object> work) => Receive<TCommand>(command =>
    {
        object answer;
        try
        {
            answer = work(command);
        }
        catch (SupersededException superseded)
        {
            answer = new Superseded(task(command), superseded);
        }
        catch (Exception failure)
        {
            _log.Error(failure, "Failed at {Task}", task(command));
            answer = new TrainerFailed(task(command), failure.Message);
        }

        Sender.Tell(answer);
    });

    private IPolicyTrainer Create()
    {
        IPolicyTrainer trainer = _create();
        long last = 0;
        trainer.Progress = (done, of) =>
        {
            if (last == 0 || Stopwatch.GetElapsedTime(last) > _progressInterval)
            {
                last = Stopwatch.GetTimestamp();
                _events.Publish(new RunEvents.TrainerProgress(done, of));
            }
        };
        return trainer;
    }

    private Restored RestoreNewest(Restore command)
    {
        DropTrainer();
        _trainer = Create();
        var invalid = ImmutableArray.CreateBuilder<string>();
        foreach (string folder in command.Folders)
        {
            try
            {
                _trainer.LoadCheckpoint(folder);
                return new Restored(_trainer.Version, folder, invalid.ToImmutable());
            }
            catch (InvalidCheckpointException failure)
            {
                invalid.Add(failure.Message);

                // A checkpoint that fails half-way through may have left weights of its own behind.
                DropTrainer();
                _trainer = Create();
            }
        }

        return new Restored(_trainer.Version, null, invalid.ToImmutable());
    }

    private Trained TrainStep(Train command)
    {
        Trainer.Use(command.Learning, command.TotalSteps);
        StepMetrics metrics = Trainer.Train(command.Groups);
        _trained?.Dispose();
        _trained = Trainer.TakeSnapshot(command.Epoch);
        return new Trained(command.Step, Trainer.Version, _trained.Hash, metrics);
    }

    private Published PublishPolicy(Publish command)
    {
        PolicySnapshot snapshot;
        if (_trained is not null && _trained.Epoch == command.Epoch)
        {
            snapshot = _trained;
            _trained = null;
        }
        else
        {
            snapshot = Trainer.TakeSnapshot(command.Epoch);
        }

        _requireHold();
        var published = new Published(snapshot.Epoch, snapshot.Version, snapshot.Hash);
        _publish(snapshot);
        return published;
    }

    private CheckpointSaved Save(SaveCheckpoint command)
    {
        _requireHold();
        if (Directory.Exists(command.Folder))
        {
            Directory.Delete(command.Folder, recursive: true);
        }

        return new CheckpointSaved(command.NextStep, Trainer.SaveCheckpoint(command.Folder));
    }

    private CheckpointsDeleted Delete(DeleteCheckpoints command)
    {
        _requireHold();
        foreach (string folder in command.Folders.Where(Directory.Exists))
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                _log.Warning(failure, "Old checkpoint {Folder} cannot be deleted; it may be removed by hand", folder);
            }
        }

        return new CheckpointsDeleted();
    }

    private void DropTrainer()
    {
        _trained?.Dispose();
        _trained = null;
        _trainer?.Dispose();
        _trainer = null;
    }
}
