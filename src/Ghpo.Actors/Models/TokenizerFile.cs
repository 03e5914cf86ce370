using System.Text.Json;
using Ghpo.Configuration;

namespace Ghpo.Models;

/// <summary>The parts of a Hugging Face tokenizer.json that byte-level BPE needs; whatever else the file asks for is an error.</summary>
/// <param name="Merges">Pairs "left right", most urgent first.</param>
/// <param name="WordPattern">Regular expression that cuts text into words; null for GPT-2's.</param>
internal sealed record TokenizerFile(
    IReadOnlyDictionary<string, int> Vocabulary,
    IReadOnlyList<string> Merges,
    IReadOnlyDictionary<string, int> AddedTokens,
    string? WordPattern,
    bool NormalizesNfc)
{
    internal static TokenizerFile Read(string file)
    {
        JsonConfig json = JsonConfig.Open(file);
        JsonConfig model = json.Section("model") ?? throw new UserErrorException($"{file}: key model is missing.");
        if (model.String("type") is var type && type != "BPE")
        {
            throw model.Unsupported("type", $"\"{type}\"", "BPE");
        }

        if (model.Flag("ignore_merges", false))
        {
            throw model.Unsupported("ignore_merges", "true", "false");
        }

        JsonConfig vocabulary = model.Section("vocab") ?? throw new UserErrorException($"{file}: key model.vocab is missing.");
        return new TokenizerFile(
            vocabulary.Element.EnumerateObject().ToDictionary(entry => entry.Name, entry => Id(entry.Value, file, $"model.vocab.{entry.Name}"), StringComparer.Ordinal),
            ReadMerges(model, file),
            ReadAddedTokens(json, file),
            ReadWordPattern(json),
            ReadNormalizer(json));
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
                JsonValueKind.String => merge.GetString()!,
                JsonValueKind.Array when merge.GetArrayLength() == 2 => $"{merge[0].GetString()} {merge[1].GetString()}",
                _ => throw new UserErrorException($"{file}: model.merges holds {merge.GetRawText()}, which is not a pair."),
            }),
        ];
    }

    private static Dictionary<string, int> ReadAddedTokens(JsonConfig json, string file)
    {
        var added = new Dictionary<string, int>(StringComparer.Ordinal);
        if (!json.Has("added_tokens"))
        {
            return added;
        }

        foreach (JsonElement token in json.Element.GetProperty("added_tokens").EnumerateArray())
        {
            if (!token.TryGetProperty("content", out JsonElement content) || !token.TryGetProperty("id", out JsonElement id))
            {
                throw new UserErrorException($"{file}: added_tokens holds {token.GetRawText()}, which lacks content or id.");
            }

            added[content.GetString()!] = Id(id, file, "added_tokens.id");
        }

        return added;
    }

    private static string? ReadWordPattern(JsonConfig json)
    {
        JsonConfig pre = json.Section("pre_tokenizer") ?? throw new UserErrorException($"{json.File}: key pre_tokenizer is missing; byte-level BPE needs one.");
        JsonElement[] steps = pre.String("type") == "Sequence" ? [.. pre.Element.GetProperty("pretokenizers").EnumerateArray()] : [pre.Element];
        string? pattern = null;
        bool bytes = false;
        foreach (JsonElement step in steps)
        {
            switch (step.GetProperty("type").GetString())
            {
                case "Split" when !bytes && pattern is null
                    && step.GetProperty("behavior").GetString() == "Isolated"
                    && step.GetProperty("pattern").TryGetProperty("Regex", out JsonElement regex)
                    && !Flag(step, "invert", false):
                    pattern = regex.GetString();
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

    private static bool Flag(JsonElement step, string key, bool otherwise) =>
        step.TryGetProperty(key, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    private static int Id(JsonElement value, string file, string key) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id >= 0 ? id : throw new UserErrorException($"{file}: {key} is not a token id.");
}
