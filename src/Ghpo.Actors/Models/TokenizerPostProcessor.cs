using System.Collections.Immutable;
using System.Text.Json;

namespace Ghpo.Models;

/// <summary>What a tokenizer.json puts around a text. Supported: nothing, or tokens before it.</summary>
internal static class TokenizerPostProcessor
{
    internal static ImmutableArray<int> BeginTokens(JsonConfig json, IReadOnlyList<AddedToken> added)
    {
        if (json.Section("post_processor") is not { } processor)
        {
            return [];
        }

        if (processor.String("type") != "Sequence")
        {
            return Of(processor, processor.Element, added);
        }

        return processor.Has("processors") && processor.Element.GetProperty("processors") is { ValueKind: JsonValueKind.Array } steps
            ? [.. steps.EnumerateArray().SelectMany(step => Of(processor, step, added))]
            : throw processor.Unsupported("processors", "something else", "a list");
    }

    private static ImmutableArray<int> Of(JsonConfig processor, JsonElement step, IReadOnlyList<AddedToken> added)
    {
        string? type = step.ValueKind == JsonValueKind.Object && step.TryGetProperty("type", out JsonElement name) ? name.ToString() : null;
        if (type == "ByteLevel")
        {
            // It changes offsets alone.
            return [];
        }

        if (type != "TemplateProcessing" || !step.TryGetProperty("single", out JsonElement single) || single.ValueKind != JsonValueKind.Array)
        {
            throw processor.Unsupported("type", step.GetRawText(), "ByteLevel and TemplateProcessing");
        }

        var begin = ImmutableArray.CreateBuilder<int>();
        bool text = false;
        foreach (JsonElement part in single.EnumerateArray())
        {
            if (Property(part, "Sequence") is not null && !text)
            {
                text = true;
            }
            else if (!text
                && Property(part, "SpecialToken") is { } special
                && Property(special, "id") is { } content
                && added.FirstOrDefault(token => token.Content == content.ToString()) is { } token)
            {
                begin.Add(token.Id);
            }
            else
            {
                throw processor.Unsupported("single", part.GetRawText(), "added tokens before the text, and the text");
            }
        }

        return begin.ToImmutable();
    }

    private static JsonElement? Property(JsonElement json, string key) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(key, out JsonElement value) ? value : null;
}
