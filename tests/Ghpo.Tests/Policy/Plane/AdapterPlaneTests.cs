using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Policy.Plane;
using Ghpo.Problems;
using Ghpo.Tests.Learning;
using Ghpo.Tests.Runs;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Policy.Plane;

/// <summary>Policies of a run with LoRA on the plane: the model travels once, then adapters alone.</summary>
public sealed class AdapterPlaneTests : IAsyncLifetime
{
    private readonly PlaneHarness _planes = new();
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _planes.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_model_is_sent_once_and_each_version_as_its_adapter_and_what_is_merged_are_the_trainer_s_bits()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane worker = await _planes.StartAsync("worker");
        using PolicyTrainer trainer = Trainer(ScalarType.Float32);
        List<string> hashes = [];
        List<long> sent = [];
        long model = 0;
        for (int step = 0; step < 4; step++)
        {
            using PolicySnapshot published = trainer.TakeSnapshot(epoch: 1);
            learner.Publish(published);
            long before = learner.BytesSent;
            using PolicySnapshot fetched = await worker.FetchAsync(published.Epoch, published.Version, published.Hash, learner.Address, Stop);
            sent.Add(learner.BytesSent - before);
            hashes.Add(published.Hash);
            model = new FileInfo(Path.Combine(_planes.FolderOf("learner"), published.Parts!.Base.Hash + ".safetensors")).Length;

            Assert.Equal((published.Epoch, published.Version, published.Hash), (fetched.Epoch, fetched.Version, fetched.Hash));
            Assert.All(published.Weights, weight => Assert.Equal(weight.Value.bytes.ToArray(), fetched.Weights[weight.Key].bytes.ToArray()));
            trainer.Train(Samples.Step(step, step));
        }

        // An adapter of rank 2 on two matrices a layer, in a model so small that its names and shapes weigh as much as its numbers.
        TestContext.Current.TestOutputHelper?.WriteLine($"model {model} bytes; sent a version: {string.Join(", ", sent)}");
        Assert.Equal(4, hashes.Distinct().Count());
        long adapter = sent[1];
        Assert.Equal([model + adapter, adapter, adapter, adapter], sent);
        Assert.True(adapter * 4 < model, $"An adapter takes {adapter} bytes, the model {model}.");
        Assert.Equal(3, Directory.GetFiles(_planes.FolderOf("worker"), "*.safetensors").Length);
    }

    [Fact]
    public async Task A_worker_that_comes_later_gets_model_and_newest_adapter_and_an_older_version_is_gone()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        using PolicyTrainer trainer = Trainer(ScalarType.BFloat16);
        List<PolicySnapshot> published = [];
        for (int step = 0; step < 4; step++)
        {
            published.Add(trainer.TakeSnapshot(epoch: 1));
            learner.Publish(published[^1]);
            trainer.Train(Samples.Step(step, step));
        }

        PolicyPlane late = await _planes.StartAsync("late");
        using PolicySnapshot fetched = await late.FetchAsync(1, published[3].Version, published[3].Hash, learner.Address, Stop);
        Assert.Equal(published[3].Hash, fetched.Hash);
        await Assert.ThrowsAsync<PolicyGoneException>(() => late.FetchAsync(1, published[1].Version, published[1].Hash, learner.Address, Stop));
        published.ForEach(policy => policy.Dispose());
    }

    [Fact]
    public async Task Parts_that_do_not_make_the_published_weights_are_refused_at_the_end_and_fetched_anew()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane worker = await _planes.StartAsync("worker");
        using PolicyTrainer trainer = Trainer(ScalarType.Float32);
        trainer.Train(Samples.Step(0, 0));
        using PolicySnapshot honest = trainer.TakeSnapshot(epoch: 1);
        var wrong = new PolicySnapshot(1, honest.Version, new string('a', 64), honest.Weights) { Parts = honest.Parts };
        learner.Publish(wrong);

        PolicyFetchException failure = await Assert.ThrowsAsync<PolicyFetchException>(() => worker.FetchAsync(1, wrong.Version, wrong.Hash, learner.Address, Stop));
        Assert.Contains($"holds tensors of hash {honest.Hash}", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_planes.FolderOf("worker"), "*.safetensors"));
        learner.Publish(honest);
        using PolicySnapshot fetched = await worker.FetchAsync(1, honest.Version, honest.Hash, learner.Address, Stop);
        Assert.Equal(honest.Hash, fetched.Hash);
    }

    [Fact]
    public void A_merged_weight_is_its_sum_to_the_last_bits_whatever_its_width()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        Tensor weight = empty([5, 19]).normal_(0, 1, generator);
        var adapter = new Dictionary<string, Tensor>
        {
            [LoraMerge.NameOfA("m")] = empty([3, 19]).normal_(0, 1, generator),
            [LoraMerge.NameOfB("m")] = empty([5, 3]).normal_(0, 1, generator),
        };
        Tensor exact = weight.to(ScalarType.Float64) + (0.5 * adapter[LoraMerge.NameOfB("m")].to(ScalarType.Float64).mm(adapter[LoraMerge.NameOfA("m")].to(ScalarType.Float64)));
        Tensor merged = LoraMerge.Merged("m.weight", weight, adapter, 0.5);
        Assert.True(merged.to(ScalarType.Float64).sub(exact).abs().max().item<double>() < 1e-6);
        Assert.Equal(weight.bytes.ToArray(), LoraMerge.Merged("other.weight", weight, adapter, 0.5).bytes.ToArray());
    }

    private PolicyTrainer Trainer(ScalarType dtype)
    {
        ModelConfig config = Samples.Model with { HiddenSize = 64, IntermediateSize = 176, HeadSize = 32 };
        TinyTokenizer.Write(_folder.Path, CompactTokens.All, CompactTokens.ChatTemplate, CompactTokens.End);
        var decoder = new Decoder(config, CPU, dtype);
        decoder.Initialise(5);
        var model = new LoadedModel(config, decoder, ModelTokenizer.Load(Path.Combine(_folder.Path, "tokenizer.json")), config.StopTokens, _folder.Path);
        return new PolicyTrainer(
            model, Samples.Learning with { Lora = new LoraSettings(2, 4, ["q_proj", "down_proj"]) }, Samples.Rewards, temperature: 1, maxNewTokens: 8, totalSteps: 10, evaluation: null);
    }
}
