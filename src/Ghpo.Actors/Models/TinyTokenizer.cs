using System.Text.Json.Nodes;

namespace Ghpo.Models;

/// <summary>A vocabulary of the 256 bytes and a few special tokens: any text tokenises, and nothing has to be trained.</summary>
public static class TinyTokenizer
{
    /// <summary>
    /// Writes tokenizer.json and tokenizer_config.json. Token ids: byte value for bytes, then 256, 257, ... for the special tokens in order.
    /// </summary>
    /// <param name="chatTemplate">Jinja text for tokenizer_config.json.</param>
    /// <param name="endToken">Which special token ends an answer.</param>
    public static void Write(string folder, IReadOnlyList<string> specialTokens, string chatTemplate, string endToken)
    {
        Directory.CreateDirectory(folder);
        var vocabulary = new JsonObject();
        for (int value = 0; value < 256; value++)
        {
            vocabulary[ByteAlphabet.Of((byte)value)] = value;
        }

        var added = new JsonArray();
        foreach ((int index, string name) in specialTokens.Index())
        {
            added.Add(new JsonObject
            {
                ["id"] = 256 + index,
                ["content"] = name,
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            });
        }

        var tokenizer = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = false, ["use_regex"] = true },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = false, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray(),
            },
        };
        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["clean_up_tokenization_spaces"] = false,
            ["eos_token"] = endToken,
            ["pad_token"] = endToken,
            ["chat_template"] = chatTemplate,
        };
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), tokenizer.ToJsonString(JsonConfig.Indented) + "\n");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString(JsonConfig.Indented) + "\n");
    }
}
