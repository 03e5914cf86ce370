using Ghpo.Models;
using Ghpo.Node.Commands;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Node;

public sealed class LoraRunTests : IDisposable
{
    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task A_complete_run_with_LoRA_leaves_its_adapter_and_the_merged_model_and_is_replayed_and_resumed()
    {
        (int exitCode, string output, string error) = await _tiny.Train(
            "--set", "learning.lora.rank=2", "--set", "run.steps=2",
            // A model that has learned nothing solves nothing; answers of different lengths give it something to learn.
            "--set", "rewards.length.weight=1", "--set", "rewards.length.soft-limit=1", "--set", "rewards.length.hard-limit=64",
            "--set", "rollout.group-size=16", "--set", "rollout.slots=64", "--set", "rollout.max-new-tokens=64");
        Assert.Equal((ExitCodes.Success, ""), (exitCode, error));
        Assert.DoesNotContain("warning", output, StringComparison.Ordinal);
        string run = Path.Combine(_tiny.Runs, "tiny");
        string merged = Path.Combine(_tiny.Root, "merged");
        Assert.Equal(ExitCodes.Success, (await TinyRun.Run("merge", _tiny.Model, Path.Combine(run, "adapter"), "--out", merged)).ExitCode);
        using (LoadedModel left = ModelFolder.Load(Path.Combine(run, "model"), CPU, ScalarType.Float32))
        using (LoadedModel again = ModelFolder.Load(merged, CPU, ScalarType.Float32))
        using (LoadedModel began = ModelFolder.Load(_tiny.Model, CPU, ScalarType.Float32))
        {
            Assert.True(Same(left.Decoder, again.Decoder));
            Assert.False(Same(left.Decoder, began.Decoder));
        }

        (exitCode, output, error) = await TinyRun.Run("replay", run, "--verify");
        Assert.Equal((ExitCodes.Success, ""), (exitCode, error));
        Assert.Contains("every one as the run had it", output, StringComparison.Ordinal);

        (exitCode, output, error) = await TinyRun.Run("resume", run, "--plain", "--set", "run.steps=3");
        Assert.Equal((ExitCodes.Success, ""), (exitCode, error));
        Assert.Contains("step 3/3", output, StringComparison.Ordinal);
    }

    private static bool Same(Decoder one, Decoder other)
    {
        using DisposeScope scope = NewDisposeScope();
        return one.named_parameters().Zip(other.named_parameters(), (a, b) => (One: a.parameter, Other: b.parameter)).All(pair => pair.One.equal(pair.Other).all().item<bool>());
    }
}
