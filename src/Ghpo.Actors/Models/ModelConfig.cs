using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Ghpo.Configuration;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>The decoder families that differ in bias and normalisation.</summary>
public enum ModelType
{
    /// <summary>Bias on q, k, v.</summary>
    Qwen2,

    /// <summary>RMSNorm on each head's q and k.</summary>
    Qwen3,

    /// <summary>Neither, unless attention_bias says so.</summary>
    Llama,
}

/// <summary>A decoder's shape, as Hugging Face's config.json describes it. Keys that the decoder does not need survive a save.</summary>
/// <param name="HeadSize">Width of one attention head.</param>
/// <param name="MaxPositions">max_position_embeddings: the longest sequence.</param>
/// <param name="AttentionBias">Bias on q, k, v and o (Qwen3, Llama). Qwen2 has it on q, k, v always, and never on o.</param>
/// <param name="StopTokens">eos_token_id; empty where the file has none.</param>
public sealed record ModelConfig(
    ModelType Type,
    int VocabularySize,
    int HiddenSize,
    int IntermediateSize,
    int Layers,
    int Heads,
    int KeyValueHeads,
    int HeadSize,
    int MaxPositions,
    double NormEpsilon,
    double RopeTheta,
    bool TiedEmbeddings,
    bool AttentionBias,
    ImmutableArray<int> StopTokens)
{
    /// <summary>The file's text as read, which a save starts from.</summary>
    private string? Original { get; init; }

    /// <summary>How the rotary frequencies are stretched for a longer context; null for not at all.</summary>
    public RopeScaling? RopeScaling { get; init; }

    public bool HasQueryKeyValueBias => Type == ModelType.Qwen2 || AttentionBias;

    public bool HasOutputBias => Type != ModelType.Qwen2 && AttentionBias;

    public bool HasQueryKeyNorm => Type == ModelType.Qwen3;

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="UserErrorException">The file is missing or malformed, lacks a key, or asks for what the decoder does not do.</exception>
    public static ModelConfig Read(string file)
    {
        JsonConfig json = JsonConfig.Open(file);
        ModelType type = json.String("model_type") switch
        {
            "qwen2" => ModelType.Qwen2,
            "qwen3" => ModelType.Qwen3,
            "llama" => ModelType.Llama,
            string other => throw new UserErrorException($"{file}: model_type \"{other}\" is not supported; supported are qwen2, qwen3 and llama."),
        };
        RefuseUnsupported(json);
        int hidden = json.Positive("hidden_size");
        int heads = json.Positive("num_attention_heads");
        var config = new ModelConfig(
            type,
            json.Positive("vocab_size"),
            hidden,
            json.Positive("intermediate_size"),
            json.Positive("num_hidden_layers"),
            heads,
            json.Positive("num_key_value_heads", heads),
            type == ModelType.Qwen3 ? json.Positive("head_dim") : json.Positive("head_dim", hidden / heads),
            json.Positive("max_position_embeddings"),
            json.Number("rms_norm_eps"),
            json.Section("rope_parameters")?.Number("rope_theta") ?? json.Number("rope_theta"),
            json.Flag("tie_word_embeddings", false),
            json.Flag("attention_bias", false),
            json.Integers("eos_token_id"))
        {
            RopeScaling = RopeScaling.Read(json),
            Original = File.ReadAllText(file),
        };
        if (config.Heads % config.KeyValueHeads != 0)
        {
            throw new UserErrorException($"{file}: num_attention_heads ({heads}) is not a multiple of num_key_value_heads ({config.KeyValueHeads}).");
        }

        if (config.HeadSize % 2 != 0)
        {
            throw new UserErrorException($"{file}: head_dim ({config.HeadSize}) is odd; rotary position embedding needs pairs.");
        }

        return config;
    }

    /// <summary>Writes a config.json: the keys it was read with, and those of this record.</summary>
    /// <param name="dtype">Type that the weights beside it are stored in.</param>
    public void Write(string file, ScalarType dtype)
    {
        JsonObject json = Original is null ? [] : JsonNode.Parse(Original)!.AsObject();
        string family = Type.ToString();
        json["architectures"] ??= new JsonArray($"{family}ForCausalLM");
        json["model_type"] = family.ToLowerInvariant();
        json["hidden_act"] ??= "silu";
        json["vocab_size"] = VocabularySize;
        json["hidden_size"] = HiddenSize;
        json["intermediate_size"] = IntermediateSize;
        json["num_hidden_layers"] = Layers;
        json["num_attention_heads"] = Heads;
        json["num_key_value_heads"] = KeyValueHeads;
        json["head_dim"] = HeadSize;
        json["max_position_embeddings"] = MaxPositions;
        json["rms_norm_eps"] = NormEpsilon;
        if (json["rope_parameters"] is JsonObject rope)
        {
            rope["rope_theta"] = RopeTheta;
        }
        else
        {
            json["rope_theta"] = RopeTheta;
            json["rope_scaling"] ??= RopeScaling?.ToJson();
        }

        json["tie_word_embeddings"] = TiedEmbeddings;
        json["attention_bias"] = AttentionBias;
        json[json.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = dtype switch
        {
            ScalarType.Float32 => "float32",
            ScalarType.BFloat16 => "bfloat16",
            ScalarType.Float16 => "float16",
            _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Weights are float32, bfloat16 or float16."),
        };
        json["eos_token_id"] = StopTokens switch
        {
            [] => null,
            [int one] => one,
            _ => new JsonArray([.. StopTokens.Select(token => JsonValue.Create(token))]),
        };
        File.WriteAllText(file, json.ToJsonString(JsonConfig.Indented) + "\n");
    }

    private static void RefuseUnsupported(JsonConfig json)
    {
        string activation = json.String("hidden_act", "silu");
        if (activation is not ("silu" or "swish"))
        {
            throw json.Unsupported("hidden_act", $"\"{activation}\"", "silu");
        }

        if (json.Flag("use_sliding_window", false) || json.Strings("layer_types").Any(layer => layer != "full_attention"))
        {
            throw json.Unsupported("use_sliding_window / layer_types", "sliding-window attention", "full attention in every layer");
        }

        if (json.Flag("mlp_bias", false))
        {
            throw json.Unsupported("mlp_bias", "true", "false");
        }

        if (json.Has("quantization_config"))
        {
            throw json.Unsupported("quantization_config", "quantized weights", "float32, bfloat16 or float16 weights");
        }
    }
}
