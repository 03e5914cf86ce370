using System.Collections.Immutable;
using System.Text.Json;
using Ghpo.Configuration;

namespace Ghpo.Models;

/// <summary>The parts of a Hugging Face tokenizer.json that byte-level BPE needs; whatever else the file asks for is an error.</summary>
/// <param name="Merges">Pairs "left right", most urgent first.</param>
/// <param name="IgnoresMerges">A word that is a token as a whole becomes that token, whatever the merges would make of it (Llama 3).</param>
/// <param name="WordPattern">Regular expression that cuts text into words; null for GPT-2's.</param>
/// <param name="BeginTokens">What the post-processor puts before a text.</param>
internal sealed record TokenizerFile(
    string Path,
    IReadOnlyDictionary<string, int> Vocabulary,
    IReadOnlyList<string> Merges,
    bool IgnoresMerges,
    IReadOnlyList<AddedToken> AddedTokens,
    string? WordPattern,
    bool NormalizesNfc,
    ImmutableArray<int> BeginTokens)
{
    /// <summary>Ids are below this: an array is as long as the largest.</summary>
    private const int IdLimit = 1 << 24;

    internal static TokenizerFile Read(string file)
    {
        JsonConfig json = JsonConfig.Open(file);
        JsonConfig model = json.Section("model") ?? throw new UserErrorException($"{file}: key model is missing.");
        if (model.String("type") is var type && type != "BPE")
        {
            throw model.Unsupported("type", $"\"{type}\"", "BPE");
        }

        foreach (string affix in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (model.String(affix, "").Length > 0)
            {
                throw model.Unsupported(affix, $"\"{model.String(affix)}\"", "none");
            }
        }

        if (model.Flag("byte_fallback", false))
        {
            throw model.Unsupported("byte_fallback", "true", "false (byte-level BPE)");
        }

        if (model.Has("dropout"))
        {
            throw model.Unsupported("dropout", "merges left out at random", "null");
        }

        Dictionary<string, int> vocabulary = ReadVocabulary(model, file);
        IReadOnlyList<AddedToken> added = ReadAddedTokens(json, file, vocabulary);
        return new TokenizerFile(
            file,
            vocabulary,
            ReadMerges(model, file),
            model.Flag("ignore_merges", false),
            added,
            ReadWordPattern(json),
            ReadNormalizer(json),
            TokenizerPostProcessor.BeginTokens(json, added));
    }

    private static Dictionary<string, int> ReadVocabulary(JsonConfig model, string file)
    {
        JsonConfig section = model.Section("vocab") ?? throw new UserErrorException($"{file}: key model.vocab is missing.");
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var tokens = new Dictionary<int, string>();
        foreach (JsonProperty entry in section.Element.EnumerateObject())
        {
            int id = Id(entry.Value, file, $"model.vocab.{entry.Name}");
            if (!vocabulary.TryAdd(entry.Name, id))
            {
                throw new UserErrorException($"{file}: model.vocab holds the token \"{entry.Name}\" twice.");
            }

            if (!tokens.TryAdd(id, entry.Name))
            {
                throw new UserErrorException($"{file}: model.vocab gives id {id} to \"{tokens[id]}\" and to \"{entry.Name}\".");
            }
        }

        return vocabulary;
    }

    private static List<string> ReadMerges(JsonConfig model, string file)
    {
        if (!model.Has("merges") || model.Element.GetProperty("merges") is not { ValueKind: JsonValueKind.Array } merges)
        {
            throw new UserErrorException($"{file}: key model.merges must be a list; it is missing or something else.");
        }

        return
        [
            .. merges.EnumerateArray().Select(merge => merge.ValueKind switch
            {
                JsonValueKind.String when merge.GetString()!.Count(character => character == ' ') == 1 => merge.GetString()!,
                JsonValueKind.Array when merge.GetArrayLength() == 2 && merge.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String)
                    => $"{merge[0].GetString()} {merge[1].GetString()}",
                _ => throw new UserErrorException($"{file}: model.merges holds {merge.GetRawText()}, which is not a pair."),
            }),
        ];
    }

    private static List<AddedToken> ReadAddedTokens(JsonConfig json, string file, Dictionary<string, int> vocabulary)
    {
        var added = new List<AddedToken>();
        if (!json.Has("added_tokens"))
        {
            return added;
        }

        if (json.Element.GetProperty("added_tokens") is not { ValueKind: JsonValueKind.Array } list)
        {
            throw new UserErrorException($"{file}: key added_tokens must be a list.");
        }

        var tokenOfId = vocabulary.ToDictionary(entry => entry.Value, entry => entry.Key);
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object
                || !item.TryGetProperty("content", out JsonElement content) || content.ValueKind != JsonValueKind.String || content.GetString()!.Length == 0
                || !item.TryGetProperty("id", out JsonElement id))
            {
                throw new UserErrorException($"{file}: added_tokens holds {item.GetRawText()}, which lacks content or id.");
            }

            if (Flag(item, "single_word", false))
            {
                throw json.Unsupported("added_tokens", $"single_word for \"{content.GetString()}\"", "tokens that are found inside words as well");
            }

            var token = new AddedToken(
                content.GetString()!,
                Id(id, file, "added_tokens.id"),
                Flag(item, "special", false),
                Flag(item, "lstrip", false),
                Flag(item, "rstrip", false),
                Flag(item, "normalized", false));
            if (added.Find(other => other.Content == token.Content) is { } same)
            {
                throw new UserErrorException($"{file}: added_tokens holds \"{token.Content}\" twice, as {same.Id} and as {token.Id}.");
            }

            if (added.Find(other => other.Id == token.Id) is { } taken)
            {
                throw new UserErrorException($"{file}: added_tokens gives id {token.Id} to \"{taken.Content}\" and to \"{token.Content}\".");
            }

            if (tokenOfId.TryGetValue(token.Id, out string? word) && word != token.Content)
            {
                throw new UserErrorException($"{file}: id {token.Id} is \"{token.Content}\" in added_tokens and \"{word}\" in model.vocab.");
            }

            if (vocabulary.TryGetValue(token.Content, out int other) && other != token.Id)
            {
                throw new UserErrorException($"{file}: \"{token.Content}\" has id {token.Id} in added_tokens and {other} in model.vocab.");
            }

            added.Add(token);
        }

        return added;
    }

    private static string? ReadWordPattern(JsonConfig json)
    {
        JsonConfig pre = json.Section("pre_tokenizer") ?? throw new UserErrorException($"{json.File}: key pre_tokenizer is missing; byte-level BPE needs one.");
        JsonElement[] steps = pre.String("type") != "Sequence"
            ? [pre.Element]
            : pre.Has("pretokenizers") && pre.Element.GetProperty("pretokenizers") is { ValueKind: JsonValueKind.Array } list
                ? [.. list.EnumerateArray()]
                : throw new UserErrorException($"{json.File}: key pre_tokenizer.pretokenizers must be a list.");
        string? pattern = null;
        bool bytes = false;
        foreach (JsonElement step in steps)
        {
            switch (Text(step, "type"))
            {
                case "Split" when !bytes && pattern is null
                    && Text(step, "behavior") == "Isolated"
                    && step.TryGetProperty("pattern", out JsonElement choice)
                    && Text(choice, "Regex") is { } regex
                    && !Flag(step, "invert", false):
                    pattern = regex;
                    break;
                case "ByteLevel" when !bytes && !Flag(step, "add_prefix_space", true) && Flag(step, "use_regex", true) == (pattern is null):
                    bytes = true;
                    break;
                default:
                    throw pre.Unsupported("pretokenizers", step.GetRawText(), "Split by a pattern (isolated), then ByteLevel without prefix space");
            }
        }

        return bytes ? pattern : throw pre.Unsupported("type", "no byte level", "ByteLevel");
    }

    private static bool ReadNormalizer(JsonConfig json) => json.Section("normalizer") switch
    {
        null => false,
        var normalizer when normalizer.String("type") == "NFC" => true,
        var normalizer => throw normalizer.Unsupported("type", $"\"{normalizer.String("type")}\"", "NFC or none"),
    };

    private static string? Text(JsonElement step, string key) =>
        step.ValueKind == JsonValueKind.Object && step.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement step, string key, bool otherwise) =>
        step.TryGetProperty(key, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    private static int Id(JsonElement value, string file, string key) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id is >= 0 and < IdLimit
        ? id
        : throw new UserErrorException($"{file}: {key} is {value.GetRawText()}, which is not a token id (0 to {IdLimit - 1}).");
}
