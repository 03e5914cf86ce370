using Ghpo.Learning;
using Ghpo.Policy;
using Ghpo.Rollout;
using Xunit;

namespace Ghpo.Tests.Learning;

public sealed class CheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ghpo-checkpoint-").FullName;

    private string Checkpoint => Path.Combine(_folder, "step-000002");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Training_on_after_a_checkpoint_equals_never_having_stopped()
    {
        using PolicyTrainer uninterrupted = Trainer();
        Train(uninterrupted, from: 0, to: 2);
        uninterrupted.SaveCheckpoint(Checkpoint);
        Train(uninterrupted, from: 2, to: 4);

        using PolicyTrainer resumed = Trainer();
        resumed.LoadCheckpoint(Checkpoint);

        Assert.Equal(new PolicyVersion(2), resumed.Version);
        Train(resumed, from: 2, to: 4);
        Assert.Equal(Hash(uninterrupted), Hash(resumed));
        Assert.Equal(uninterrupted.SaveCheckpoint(Path.Combine(_folder, "a")), resumed.SaveCheckpoint(Path.Combine(_folder, "b")));
    }

    [Fact]
    public void A_checkpoint_appears_whole_and_replaces_one_of_the_same_name()
    {
        using PolicyTrainer trainer = Trainer();
        string first = trainer.SaveCheckpoint(Checkpoint);
        Directory.CreateDirectory(Checkpoint + ".partial");
        File.WriteAllText(Path.Combine(Checkpoint + ".partial", "left-over"), "of a crash");
        Train(trainer, from: 0, to: 1);

        string second = trainer.SaveCheckpoint(Checkpoint);

        Assert.NotEqual(first, second);
        Assert.Equal(["model", "step-000002"], Directory.GetDirectories(_folder).Select(Path.GetFileName).Order());
        Assert.Equal(
            ["config.json", "model.safetensors", "optimizer.safetensors", "state.json", "tokenizer.json", "tokenizer_config.json"],
            Directory.GetFiles(Checkpoint).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        trainer.LoadCheckpoint(Checkpoint);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    public void A_flipped_byte_in_any_file_is_found_and_named(string file)
    {
        using PolicyTrainer trainer = Saved();
        string path = Path.Combine(Checkpoint, file);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);

        AssertRefused(trainer, file, "altered");
    }

    [Fact]
    public void A_changed_version_in_the_state_is_found()
    {
        using PolicyTrainer trainer = Saved();
        string path = Path.Combine(Checkpoint, "state.json");
        string text = File.ReadAllText(path);
        string changed = text.Replace("\"version\": 1", "\"version\": 3", StringComparison.Ordinal);
        Assert.NotEqual(text, changed);
        File.WriteAllText(path, changed);

        AssertRefused(trainer, "state.json", "digest");
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    public void A_truncated_file_is_found_and_named(string file)
    {
        using PolicyTrainer trainer = Saved();
        string path = Path.Combine(Checkpoint, file);
        using (FileStream stream = File.OpenWrite(path))
        {
            stream.SetLength(stream.Length - 7);
        }

        AssertRefused(trainer, file, "truncated");
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    public void A_missing_file_is_found_and_named(string file)
    {
        using PolicyTrainer trainer = Saved();
        File.Delete(Path.Combine(Checkpoint, file));

        AssertRefused(trainer, file, "missing");
    }

    private PolicyTrainer Saved()
    {
        PolicyTrainer trainer = Trainer();
        Train(trainer, from: 0, to: 1);
        trainer.SaveCheckpoint(Checkpoint);
        return trainer;
    }

    /// <summary>Nothing of a checkpoint that is refused may have reached the trainer.</summary>
    private void AssertRefused(PolicyTrainer trainer, string file, string what)
    {
        Train(trainer, from: 1, to: 2);
        string before = Hash(trainer);

        InvalidCheckpointException error = Assert.Throws<InvalidCheckpointException>(() => trainer.LoadCheckpoint(Checkpoint));

        Assert.Contains(file, error.Message);
        Assert.Contains(what, error.Message);
        Assert.Equal(before, Hash(trainer));
        Assert.Equal(new PolicyVersion(2), trainer.Version);
    }

    private PolicyTrainer Trainer() => new(
        Samples.FreshModel(Path.Combine(_folder, "model")),
        Samples.Learning with { KlBeta = 0.05 },
        Samples.Rewards,
        temperature: 1,
        maxNewTokens: 8,
        totalSteps: 10,
        evaluation: null);

    private static void Train(PolicyTrainer trainer, int from, int to)
    {
        for (int step = from; step < to; step++)
        {
            trainer.Train(Samples.Step(step, step));
        }
    }

    private static string Hash(PolicyTrainer trainer)
    {
        using PolicySnapshot snapshot = trainer.TakeSnapshot(epoch: 1);
        return snapshot.Hash;
    }
}
