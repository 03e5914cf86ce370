using Akka.Actor;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Policy;
using Ghpo.Tests.Journal;
using Ghpo.Tests.Problems;
using Xunit;
using static Ghpo.Learning.TrainerProtocol;

namespace Ghpo.Tests.Learning;

public sealed class TrainerActorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ActorSystem _system = ActorSystem.Create("trainer", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF");
    private readonly List<PolicySnapshot> _published = [];

    public void Dispose()
    {
        _system.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_published_is_the_snapshot_that_the_step_was_reported_with()
    {
        IActorRef trainer = Trainer(() => new LearnerFakeTrainer());
        await trainer.Answer<Restored>(new Restore([]));
        var trained = await trainer.Answer<Trained>(LearnerFixtures.Train(0, 3));

        var published = await trainer.Answer<Published>(new Publish(3));

        Assert.Equal(new Published(3, trained.Version, trained.PolicyHash), published);
        Assert.Equal(trained.PolicyHash, Assert.Single(_published).Hash);
    }

    [Fact]
    public async Task A_restore_starts_afresh_even_from_a_trainer_that_has_trained()
    {
        IActorRef trainer = Trainer(() => new LearnerFakeTrainer());
        await trainer.Answer<Restored>(new Restore([]));
        var first = await trainer.Answer<Trained>(LearnerFixtures.Train(0, 1));

        Assert.Equal(0, (await trainer.Answer<Restored>(new Restore([]))).Version.Value);
        Assert.Equal(first, await trainer.Answer<Trained>(LearnerFixtures.Train(0, 1)));
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_named_and_leaves_nothing_of_itself_behind()
    {
        IActorRef trainer = Trainer(() => new LearnerFakeTrainer());
        await trainer.Answer<Restored>(new Restore([]));
        string whole = Path.Combine(_folder.Path, "step-000001");
        var trained = await trainer.Answer<Trained>(LearnerFixtures.Train(0, 1));
        await trainer.Answer<CheckpointSaved>(new SaveCheckpoint(1, whole));

        var restored = await trainer.Answer<Restored>(new Restore([Path.Combine(_folder.Path, "step-000002"), whole]));

        Assert.Equal((1, whole), (restored.Version.Value, restored.Folder));
        Assert.Contains("step-000002", Assert.Single(restored.Invalid), StringComparison.Ordinal);
        Assert.Equal(trained.PolicyHash, (await trainer.Answer<Published>(new Publish(2))).Hash);
    }

    [Fact]
    public async Task A_checkpoint_folder_that_a_dead_learner_left_is_replaced()
    {
        IActorRef trainer = Trainer(() => new LearnerFakeTrainer());
        await trainer.Answer<Restored>(new Restore([]));
        string folder = Path.Combine(_folder.Path, "step-000000");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "left over"), "");

        await trainer.Answer<CheckpointSaved>(new SaveCheckpoint(0, folder));

        Assert.Equal(["weights"], Directory.GetFiles(folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_fails_is_answered_with_what_was_tried_and_why()
    {
        IActorRef trainer = Trainer(() => throw new IOException("no such model"));

        Assert.Equal(new TrainerFailed("restoring the policy", "no such model"), await trainer.Answer<object>(new Restore([])));
        Assert.Equal("evaluating the policy", (await trainer.Answer<TrainerFailed>(new Evaluate())).Task);
    }

    [Fact]
    public async Task A_learner_whose_run_another_one_may_have_writes_deletes_and_publishes_nothing()
    {
        bool superseded = false;
        IActorRef trainer = Trainer(() => new LearnerFakeTrainer(), () =>
        {
            if (superseded)
            {
                throw new SupersededException("another one has it");
            }
        });
        await trainer.Answer<Restored>(new Restore([]));
        string folder = Path.Combine(_folder.Path, "step-000000");
        await trainer.Answer<CheckpointSaved>(new SaveCheckpoint(0, folder));
        File.WriteAllText(Path.Combine(folder, "weights"), "the other one's");
        superseded = true;

        Assert.Equal($"writing checkpoint {folder}", (await trainer.Answer<Superseded>(new SaveCheckpoint(0, folder))).Task);
        Assert.Equal("deleting old checkpoints", (await trainer.Answer<Superseded>(new DeleteCheckpoints([folder]))).Task);
        Assert.Equal("another one has it", (await trainer.Answer<Superseded>(new Publish(1))).Cause.Message);

        Assert.Equal("the other one's", await File.ReadAllTextAsync(Path.Combine(folder, "weights"), TestContext.Current.CancellationToken));
        Assert.Empty(_published);
    }

    private IActorRef Trainer(Func<IPolicyTrainer> create, Action? requireHold = null) =>
        _system.ActorOf(TrainerActor.Props(create, _published.Add, requireHold ?? (() => { })));
}
