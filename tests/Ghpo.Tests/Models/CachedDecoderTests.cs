using Ghpo.Configuration;
using Ghpo.Models;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

public sealed class CachedDecoderTests
{
    [Theory]
    [InlineData(ModelType.Llama)]
    [InlineData(ModelType.Qwen2)]
    [InlineData(ModelType.Qwen3)]
    public void Decoding_with_a_cache_equals_the_full_forward_pass(ModelType type)
    {
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ModelConfig config = TinyModel.Config(type) with { AttentionBias = type == ModelType.Llama, TiedEmbeddings = type == ModelType.Qwen2 };
        using Decoder decoder = TinyModel.Create(config);
        using var cached = new CachedDecoder(config, CPU, ScalarType.Float32, rows: 5, maxLength: 40);
        cached.Load(decoder.state_dict(), "test");
        const int Prefilled = 7;
        Tensor ids = randint(0, 300, [5, 40], ScalarType.Int64);
        ids.narrow(1, 0, Prefilled).copy_(ids.narrow(0, 0, 1).narrow(1, 0, Prefilled).clone());
        Tensor expected = decoder.Logits(decoder.Hidden(ids)).log_softmax(-1);

        cached.Prefill(ids[0].narrow(0, 0, Prefilled), row: 0, count: 5);
        for (int position = Prefilled; position < 40; position++)
        {
            Tensor logits = cached.Decode(ids.select(1, position).contiguous(), full([5], position, ScalarType.Int64), position);
            Assert.True((logits.log_softmax(-1) - expected.select(1, position)).abs().max().item<float>() < 1e-5, $"position {position}");
        }
    }

    [Fact]
    public void Rows_at_different_positions_do_not_disturb_each_other()
    {
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ModelConfig config = TinyModel.Config();
        using Decoder decoder = TinyModel.Create(config);
        using var cached = new CachedDecoder(config, CPU, ScalarType.Float32, rows: 4, maxLength: 64);
        cached.Load(decoder.state_dict(), "test");
        Tensor ids = randint(0, 300, [4, 64], ScalarType.Int64);
        int[] lengths = [1, 17, 33, 60];
        Tensor expected = decoder.Logits(decoder.Hidden(ids));
        for (int row = 0; row < 4; row++)
        {
            cached.Prefill(ids[row].narrow(0, 0, lengths[row]), row, count: 1);
        }

        Tensor next = tensor(lengths.Select((length, row) => ids[row, length].item<long>()).ToArray());
        Tensor logits = cached.Decode(next, tensor(lengths.Select(length => (long)length).ToArray()), 60);
        for (int row = 0; row < 4; row++)
        {
            Assert.True((logits[row] - expected[row, lengths[row]]).abs().max().item<float>() < 1e-4, $"row {row}");
        }
    }

    [Fact]
    public void Weights_of_another_shape_are_refused_by_name()
    {
        using Decoder decoder = TinyModel.Create(TinyModel.Config() with { IntermediateSize = 96 });
        using var cached = new CachedDecoder(TinyModel.Config(), CPU, ScalarType.Float32, rows: 4, maxLength: 16);

        string message = Assert.Throws<UserErrorException>(() => cached.Load(decoder.state_dict(), "Policy v3")).Message;
        Assert.Contains("Policy v3: tensor model.layers.0.mlp.gate_proj.weight has shape [96, 32]", message, StringComparison.Ordinal);
    }
}
