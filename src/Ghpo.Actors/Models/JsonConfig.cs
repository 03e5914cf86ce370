using System.Collections.Immutable;
using System.Text.Json;
using Ghpo.Configuration;

namespace Ghpo.Models;

/// <summary>A JSON object read key by key; what is missing or of the wrong type is an error that names file and key.</summary>
internal sealed class JsonConfig
{
    internal static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly JsonElement _object;
    private readonly string _prefix;

    private JsonConfig(string file, JsonElement element, string prefix)
    {
        File = file;
        _object = element;
        _prefix = prefix;
    }

    internal string File { get; }

    internal JsonElement Element => _object;

    internal static JsonConfig Open(string file)
    {
        if (!System.IO.File.Exists(file))
        {
            throw new UserErrorException($"{file} is missing; a model folder in Hugging Face layout has it.");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllBytes(file));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonConfig(file, document.RootElement.Clone(), "")
                : throw new UserErrorException($"{file}: a JSON object was expected, found {document.RootElement.ValueKind}.");
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{file} is not valid JSON: {error.Message}");
        }
    }

    /// <summary>True if the key is there and not null.</summary>
    internal bool Has(string key) => _object.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    internal JsonConfig? Section(string key) => !Has(key)
        ? null
        : Required(key) is { ValueKind: JsonValueKind.Object } section
            ? new JsonConfig(File, section, _prefix + key + ".")
            : throw WrongType(key, "an object");

    internal string String(string key, string? otherwise = null) => otherwise is not null && !Has(key)
        ? otherwise
        : Required(key) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw WrongType(key, "a string");

    internal int Positive(string key, int? otherwise = null) => otherwise is not null && !Has(key)
        ? otherwise.Value
        : Required(key) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out int value) && value > 0
            ? value
            : throw WrongType(key, "a positive integer");

    internal double Number(string key) => Required(key) is { ValueKind: JsonValueKind.Number } number && number.GetDouble() is > 0 and var value
        ? value
        : throw WrongType(key, "a positive number");

    internal bool Flag(string key, bool otherwise) => !Has(key)
        ? otherwise
        : Required(key).ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw WrongType(key, "true or false"),
        };

    /// <summary>An integer or a list of integers; empty where there is none.</summary>
    internal ImmutableArray<int> Integers(string key) => !Has(key) ? [] : Required(key) switch
    {
        { ValueKind: JsonValueKind.Number } one when one.TryGetInt32(out int value) => [value],
        { ValueKind: JsonValueKind.Array } many when many.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out _))
            => [.. many.EnumerateArray().Select(item => item.GetInt32())],
        _ => throw WrongType(key, "an integer or a list of integers"),
    };

    /// <summary>A list of strings; empty where there is none.</summary>
    internal ImmutableArray<string> Strings(string key) => !Has(key) ? [] : Required(key) switch
    {
        { ValueKind: JsonValueKind.Array } many when many.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            => [.. many.EnumerateArray().Select(item => item.GetString()!)],
        _ => throw WrongType(key, "a list of strings"),
    };

    internal UserErrorException Unsupported(string key, string found, string supported) =>
        new($"{File}: {_prefix}{key} asks for {found}, which is not supported; supported is {supported}.");

    private UserErrorException WrongType(string key, string expected) =>
        new($"{File}: key {_prefix}{key} must be {expected}, found {Required(key).GetRawText()}.");

    private JsonElement Required(string key) => Has(key)
        ? _object.GetProperty(key)
        : throw new UserErrorException($"{File}: key {_prefix}{key} is missing.");
}
