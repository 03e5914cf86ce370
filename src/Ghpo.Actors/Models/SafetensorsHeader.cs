using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using Ghpo.Configuration;

namespace Ghpo.Models;

/// <summary>Reads and checks the header of a safetensors file. Source: the format section of github.com/huggingface/safetensors.</summary>
internal static class SafetensorsHeader
{
    /// <summary>The format's own bound in bytes.</summary>
    private const long Longest = 100_000_000;

    /// <summary>
    /// The tensors by name. Each lies within the file, and together they fill it: no two share a byte, and no byte behind the header belongs to
    /// none. Memory used is bounded by the header that the file really holds.
    /// </summary>
    /// <exception cref="UserErrorException">The header is none of that kind; names the file, and the tensor.</exception>
    internal static IReadOnlyDictionary<string, SafetensorsEntry> Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        long length = file.Length;
        if (length < sizeof(ulong))
        {
            throw new UserErrorException($"{path} is truncated: {length} bytes are less than a safetensors header.");
        }

        Span<byte> size = stackalloc byte[sizeof(ulong)];
        file.ReadExactly(size);
        ulong header = BinaryPrimitives.ReadUInt64LittleEndian(size);
        if (header > Longest)
        {
            throw Malformed(path, $"its header claims {header} bytes, more than the {Longest} that the format allows");
        }

        long data = sizeof(ulong) + (long)header;
        if (data > length)
        {
            throw new UserErrorException($"{path} is truncated: its header ends at byte {data}, the file at {length}.");
        }

        byte[] json = new byte[header];
        file.ReadExactly(json);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Malformed(path, "its header is not a JSON object");
            }

            var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__")
                {
                    CheckMetadata(path, property.Value);
                }
                else if (!entries.TryAdd(property.Name, ReadEntry(path, property.Name, property.Value, data, length)))
                {
                    throw Malformed(path, $"tensor {property.Name} appears twice");
                }
            }

            RequireWhole(path, entries, data, length);
            return entries;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second: text that is no valid UTF-16, which JsonElement finds when it is asked for the string.
            throw Malformed(path, $"its header is not valid JSON: {error.Message}");
        }
    }

    private static void CheckMetadata(string path, JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object || metadata.EnumerateObject().Any(entry => entry.Value.ValueKind != JsonValueKind.String))
        {
            throw Malformed(path, "its __metadata__ is not an object of strings");
        }
    }

    private static SafetensorsEntry ReadEntry(string path, string name, JsonElement json, long data, long length)
    {
        if (json.ValueKind != JsonValueKind.Object
            || !json.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String
            || !json.TryGetProperty("shape", out JsonElement shape) || !Naturals(shape, out ImmutableArray<long> sizes)
            || !json.TryGetProperty("data_offsets", out JsonElement offsets) || !Naturals(offsets, out ImmutableArray<long> range)
            || range.Length != 2)
        {
            throw Malformed(path, $"tensor {name} lacks a dtype, a shape or two data_offsets");
        }

        if (SafetensorsType.Parse(dtype.GetString()!) is not { } type)
        {
            throw new UserErrorException($"{path}: tensor {name} has type {dtype.GetString()}; supported are {SafetensorsType.Names}.");
        }

        long begin = range[0];
        long end = range[1];
        if (end < begin || end > length - data)
        {
            throw new UserErrorException(
                $"{path}: tensor {name} lies at bytes {begin} to {end} of {length - data} that the file holds; the file is truncated or malformed.");
        }

        long bytes = SafetensorsType.Width(type);
        foreach (long size in sizes)
        {
            bytes = size == 0 || bytes <= long.MaxValue / size ? bytes * size : throw Malformed(path, $"the shape of tensor {name} overflows");
        }

        return bytes == end - begin
            ? new SafetensorsEntry(type, sizes, data + begin, bytes)
            : throw Malformed(path, $"tensor {name} of shape [{string.Join(", ", sizes)}] needs {bytes} bytes, its data_offsets give {end - begin}");
    }

    private static void RequireWhole(string path, Dictionary<string, SafetensorsEntry> entries, long data, long length)
    {
        long end = data;
        string before = "the header";
        foreach ((string name, SafetensorsEntry entry) in entries.OrderBy(entry => entry.Value.Offset).ThenBy(entry => entry.Value.Bytes))
        {
            if (entry.Offset != end)
            {
                throw Malformed(
                    path,
                    entry.Offset < end ? $"tensors {before} and {name} share bytes {entry.Offset - data} to {end - data}" : $"bytes {end - data} to {entry.Offset - data}, before tensor {name}, belong to no tensor");
            }

            end = entry.Offset + entry.Bytes;
            before = name;
        }

        if (end != length)
        {
            throw Malformed(path, $"the {length - end} bytes behind {before} belong to no tensor");
        }
    }

    private static bool Naturals(JsonElement json, out ImmutableArray<long> values)
    {
        values = [];
        if (json.ValueKind != JsonValueKind.Array || !json.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out long value) && value >= 0))
        {
            return false;
        }

        values = [.. json.EnumerateArray().Select(item => item.GetInt64())];
        return true;
    }

    private static UserErrorException Malformed(string path, string what) => new($"{path} is malformed: {what}.");
}
