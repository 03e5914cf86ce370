using System.Text;
using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// Writes a Qwen2 model as GGUF version 3, for llama.cpp to run the same weights: header, metadata, tensor table, then the tensors, each aligned to 32
/// bytes. Matrices have the given type, vectors are float32. The vocabulary is made up: nobody turns it into text.
/// </summary>
internal static class GgufFile
{
    private const int Alignment = 32;
    private const uint Unsigned32 = 4, Signed32 = 5, Single32 = 6, Text = 8, List = 9;

    internal static void Write(string file, ModelConfig config, IReadOnlyDictionary<string, Tensor> weights, ScalarType dtype)
    {
        using FileStream stream = File.Create(file);
        using var writer = new BinaryWriter(stream);
        (string Name, Tensor Tensor)[] tensors = [.. weights.Select(entry => (NameOf(entry.Key), entry.Value))];
        Action[] metadata = Metadata(writer, config);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors.Length);
        writer.Write((ulong)metadata.Length);
        Array.ForEach(metadata, write => write());
        long offset = 0;
        foreach ((string name, Tensor tensor) in tensors)
        {
            WriteText(writer, name);
            writer.Write((uint)tensor.dim());
            foreach (long size in tensor.shape.Reverse())
            {
                writer.Write((ulong)size);
            }

            bool narrow = tensor.dim() > 1 && dtype == ScalarType.BFloat16;
            writer.Write(narrow ? 30u : 0u);
            writer.Write((ulong)offset);
            offset += Aligned(tensor.numel() * (narrow ? 2 : 4));
        }

        foreach ((_, Tensor tensor) in tensors)
        {
            Pad(stream);
            using Tensor stored = tensor.to(tensor.dim() > 1 ? dtype : ScalarType.Float32).contiguous();
            writer.Write(stored.bytes);
        }

        Pad(stream);
    }

    private static Action[] Metadata(BinaryWriter writer, ModelConfig config)
    {
        return
        [
            () => { Key("general.architecture", Text); WriteText(writer, "qwen2"); },
            () => Number("qwen2.block_count", config.Layers),
            () => Number("qwen2.context_length", config.MaxPositions),
            () => Number("qwen2.embedding_length", config.HiddenSize),
            () => Number("qwen2.feed_forward_length", config.IntermediateSize),
            () => Number("qwen2.attention.head_count", config.Heads),
            () => Number("qwen2.attention.head_count_kv", config.KeyValueHeads),
            () => { Key("qwen2.attention.layer_norm_rms_epsilon", Single32); writer.Write((float)config.NormEpsilon); },
            () => { Key("qwen2.rope.freq_base", Single32); writer.Write((float)config.RopeTheta); },
            () => { Key("tokenizer.ggml.model", Text); WriteText(writer, "gpt2"); },
            () => { Key("tokenizer.ggml.pre", Text); WriteText(writer, "qwen2"); },
            () =>
            {
                Items("tokenizer.ggml.tokens", Text, config.VocabularySize);
                for (int token = 0; token < config.VocabularySize; token++)
                {
                    WriteText(writer, $"t{token}");
                }
            },
            () =>
            {
                Items("tokenizer.ggml.token_type", Signed32, config.VocabularySize);
                for (int token = 0; token < config.VocabularySize; token++)
                {
                    writer.Write(1);
                }
            },
            () => { Items("tokenizer.ggml.merges", Text, 1); WriteText(writer, "t 1"); },
            () => Number("tokenizer.ggml.eos_token_id", config.VocabularySize - 1),
        ];

        void Key(string name, uint type)
        {
            WriteText(writer, name);
            writer.Write(type);
        }

        void Items(string name, uint type, int count)
        {
            Key(name, List);
            writer.Write(type);
            writer.Write((ulong)count);
        }

        void Number(string name, int value)
        {
            Key(name, Unsigned32);
            writer.Write((uint)value);
        }
    }

    private static string NameOf(string name) => name
        .Replace("model.layers.", "blk.", StringComparison.Ordinal)
        .Replace("model.embed_tokens", "token_embd", StringComparison.Ordinal)
        .Replace("model.norm", "output_norm", StringComparison.Ordinal)
        .Replace("input_layernorm", "attn_norm", StringComparison.Ordinal)
        .Replace("post_attention_layernorm", "ffn_norm", StringComparison.Ordinal)
        .Replace("self_attn.o_proj", "attn_output", StringComparison.Ordinal)
        .Replace("self_attn.", "attn_", StringComparison.Ordinal)
        .Replace("mlp.", "ffn_", StringComparison.Ordinal)
        .Replace("_proj", "", StringComparison.Ordinal);

    private static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static long Aligned(long length) => (length + Alignment - 1) / Alignment * Alignment;

    private static void Pad(FileStream stream)
    {
        while (stream.Position % Alignment != 0)
        {
            stream.WriteByte(0);
        }
    }
}
