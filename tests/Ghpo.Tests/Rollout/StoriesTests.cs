using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Rollout;
using Ghpo.Tests.Models;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Rollout;

/// <summary>A trained Llama of 260 thousand parameters, in the llama2.c format (version 0), must tell the story that its own program tells.</summary>
public sealed class StoriesTests
{
    private const int Width = 64;
    private const int Inner = 172;
    private const int LayerCount = 5;
    private const int Heads = 8;
    private const int KeyValueHeads = 4;
    private const int HeadSize = 8;
    private const int Vocabulary = 512;
    private const int Begin = 1;

    [Fact]
    public void Stories260K_tells_its_documented_story_at_temperature_0()
    {
        string folder = SharedData.Require("stories260K");
        TorchThreads.UseOnThisThread(1);
        using PolicySnapshot policy = ReadWeights(Path.Combine(folder, "stories260K.bin"));
        var config = new ModelConfig(
            ModelType.Llama, Vocabulary, Width, Inner, LayerCount, Heads, KeyValueHeads, HeadSize, 512, 1e-5, 10000, TiedEmbeddings: true, AttentionBias: false, [Begin, 2]);
        using var engine = new GenerationEngine(config, CPU, ScalarType.Float32, config.StopTokens, slots: 1, maxLength: 256);
        engine.LoadPolicy(policy);

        ImmutableArray<Completion> completions = Engines.Alone(
            engine, new GenerationRequest("story", [Begin], Answers: 1, Seed: 0, new SamplingOptions(Temperature: 0, TopK: 0, TopP: 1, MaxNewTokens: 200)));

        Assert.StartsWith(
            "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.",
            Text(Path.Combine(folder, "tok512.bin"), completions[0].Tokens),
            StringComparison.Ordinal);
    }

    private static PolicySnapshot ReadWeights(string file)
    {
        float[] values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(file).AsSpan(7 * sizeof(int))).ToArray();
        int read = 0;
        using DisposeScope scope = NewDisposeScope();
        Tensor Take(params long[] shape)
        {
            int count = (int)shape.Aggregate(1L, (product, size) => product * size);
            read += count;
            return tensor(values[(read - count)..read], shape);
        }

        // llama2.c turns neighbouring pairs, Hugging Face element i with i + D/2: even rows of each head first, then the odd ones.
        Tensor SplitHalves(Tensor layers, int heads) => layers.view(LayerCount, heads, HeadSize / 2, 2, Width).transpose(2, 3).reshape(layers.shape);

        Tensor embedding = Take(Vocabulary, Width);
        var perLayer = new Dictionary<string, Tensor>
        {
            ["input_layernorm"] = Take(LayerCount, Width),
            ["self_attn.q_proj"] = SplitHalves(Take(LayerCount, Heads * HeadSize, Width), Heads),
            ["self_attn.k_proj"] = SplitHalves(Take(LayerCount, KeyValueHeads * HeadSize, Width), KeyValueHeads),
            ["self_attn.v_proj"] = Take(LayerCount, KeyValueHeads * HeadSize, Width),
            ["self_attn.o_proj"] = Take(LayerCount, Width, Width),
            ["post_attention_layernorm"] = Take(LayerCount, Width),
            ["mlp.gate_proj"] = Take(LayerCount, Inner, Width),
            ["mlp.down_proj"] = Take(LayerCount, Width, Inner),
            ["mlp.up_proj"] = Take(LayerCount, Inner, Width),
        };
        var weights = new Dictionary<string, Tensor>
        {
            ["model.embed_tokens.weight"] = embedding.DetachFromDisposeScope(),
            ["model.norm.weight"] = Take(Width).DetachFromDisposeScope(),
        };
        foreach ((string name, Tensor layers) in perLayer)
        {
            for (int index = 0; index < LayerCount; index++)
            {
                weights[$"model.layers.{index}.{name}.weight"] = layers[index].clone().DetachFromDisposeScope();
            }
        }

        return new PolicySnapshot(epoch: 1, new PolicyVersion(0), PolicyHash.Of(weights), weights);
    }

    private static string Text(string vocabularyFile, ImmutableArray<int> tokens)
    {
        using var reader = new BinaryReader(File.OpenRead(vocabularyFile));
        reader.ReadInt32();
        string[] pieces = new string[Vocabulary];
        for (int token = 0; token < Vocabulary; token++)
        {
            reader.ReadSingle();
            pieces[token] = Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32()));
        }

        // SentencePiece puts a space before the first word; a piece <0x0A> is a byte.
        return string.Concat(tokens.Select(token => pieces[token] == "<0x0A>" ? "\n" : pieces[token])).TrimStart();
    }
}
