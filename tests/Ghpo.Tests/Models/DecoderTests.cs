using Ghpo.Models;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

public sealed class DecoderTests
{
    [Fact]
    public void RMSNorm_divides_by_the_root_of_the_mean_square()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor y = RmsNorm.Apply(tensor(new float[] { 3, 4 }), tensor(new float[] { 1, 2 }), epsilon: 0);

        // mean(9, 16) = 12.5; 3/√12.5 = 0.848528, 2·4/√12.5 = 2.262742
        Assert.Equal([0.848528f, 2.262742f], y.data<float>(), Close(1e-6));
    }

    [Fact]
    public void Rotary_embedding_turns_element_i_with_element_i_plus_half()
    {
        using DisposeScope scope = NewDisposeScope();
        using var rotary = new RotaryTable(positions: 4, headSize: 4, theta: 100, CPU, ScalarType.Float32, scaling: null);
        Tensor turned = rotary.Turn(tensor(new float[] { 1, 2, 3, 4 }), rotary.Cos[2], rotary.SignedSin[2]);

        // Position 2: pair (1, 3) turns by 2·100^0 = 2, pair (2, 4) by 2·100^(−1/2) = 0.2.
        // 1·cos2 − 3·sin2, 2·cos0.2 − 4·sin0.2, 3·cos2 + 1·sin2, 4·cos0.2 + 2·sin0.2
        Assert.Equal([-3.144039f, 1.165456f, -0.339143f, 4.317605f], turned.data<float>(), Close(1e-5));
    }

    [Theory]
    [InlineData(ModelType.Llama, "")]
    [InlineData(ModelType.Qwen2, "self_attn.q_proj.bias self_attn.k_proj.bias self_attn.v_proj.bias")]
    [InlineData(ModelType.Qwen3, "self_attn.q_norm.weight self_attn.k_norm.weight")]
    public void Parameters_bear_the_names_of_their_family(ModelType type, string own)
    {
        string[] common =
        [
            "self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight", "self_attn.o_proj.weight", "mlp.gate_proj.weight",
            "mlp.up_proj.weight", "mlp.down_proj.weight", "input_layernorm.weight", "post_attention_layernorm.weight",
        ];
        IEnumerable<string> layer = common.Concat(own.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        IEnumerable<string> expected = Enumerable.Range(0, 2)
            .SelectMany(index => layer.Select(name => $"model.layers.{index}.{name}"))
            .Concat(["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"]);
        using var decoder = new Decoder(TinyModel.Config(type) with { TiedEmbeddings = false }, CPU, ScalarType.Float32);

        Assert.Equal(expected.Order(StringComparer.Ordinal), decoder.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal(expected.Order(StringComparer.Ordinal), ParameterShapes.Of(decoder.Config).Keys.Order(StringComparer.Ordinal));
        Assert.Equal(expected.Order(StringComparer.Ordinal), decoder.named_parameters().Select(entry => entry.name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_token_never_sees_what_comes_after_it()
    {
        using DisposeScope scope = NewDisposeScope();
        using Decoder decoder = TinyModel.Create(TinyModel.Config());
        Tensor first = decoder.Hidden(tensor(new long[] { 5, 6, 7, 8, 9, 10 }, [1, 6]));
        Tensor second = decoder.Hidden(tensor(new long[] { 5, 6, 7, 200, 201, 202 }, [1, 6]));

        Assert.True((first - second).narrow(1, 0, 3).abs().max().item<float>() < 1e-6);
        Assert.True((first - second).narrow(1, 3, 3).abs().max().item<float>() > 1e-3);
    }

    [Fact]
    public void Gradients_reach_every_parameter()
    {
        using DisposeScope scope = NewDisposeScope();
        using Decoder decoder = TinyModel.Create(TinyModel.Config(ModelType.Qwen3));
        decoder.Logits(decoder.Hidden(tensor(new long[] { 5, 6, 7, 8 }, [1, 4]))).square().sum().backward();

        Assert.All(decoder.named_parameters(), entry => Assert.True(entry.parameter.grad!.abs().sum().item<float>() > 0, entry.name));
    }

    [Fact]
    public void The_same_seed_gives_the_same_fresh_weights()
    {
        using Decoder first = new(TinyModel.Config(), CPU, ScalarType.Float32);
        using Decoder second = new(TinyModel.Config(), CPU, ScalarType.Float32);
        using Decoder other = new(TinyModel.Config(), CPU, ScalarType.Float32);
        first.Initialise(7);
        second.Initialise(7);
        other.Initialise(8);

        Assert.Equal(Bits(first), Bits(second));
        Assert.NotEqual(Bits(first), Bits(other));
    }

    [Fact]
    public void A_forward_pass_and_a_disposed_decoder_leave_no_tensor_behind()
    {
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (Decoder decoder = TinyModel.Create(TinyModel.Config()))
        using (NewDisposeScope())
        using (no_grad())
        {
            decoder.Hidden(tensor(new long[] { 5, 6, 7, 8 }, [1, 4]));
            long once = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            decoder.Hidden(tensor(new long[] { 5, 6, 7, 8 }, [1, 4])).Dispose();
            Assert.Equal(once + 1, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    internal static byte[] Bits(Decoder decoder) => [.. decoder.named_parameters().OrderBy(entry => entry.name, StringComparer.Ordinal).SelectMany(entry => entry.parameter.bytes.ToArray())];

    private static Func<float, float, bool> Close(double tolerance) => (a, b) => Math.Abs(a - b) < tolerance;
}
