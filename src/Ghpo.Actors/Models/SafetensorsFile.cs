using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.MemoryMappedFiles;
using System.Text.Json;
using Ghpo.Configuration;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Type, shape and place of one tensor of a safetensors file.</summary>
/// <param name="Offset">Bytes from the start of the file.</param>
public sealed record SafetensorsEntry(ScalarType Dtype, ImmutableArray<long> Shape, long Offset, long Bytes);

/// <summary>
/// A safetensors file, memory-mapped: u64 header length N (little endian), N bytes of JSON, then the tensors' bytes.
/// The header is checked whole on opening, so reading never leaves the file. Source: the format section of github.com/huggingface/safetensors.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>The format's own bound.</summary>
    private const long LongestHeader = 100_000_000;

    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private SafetensorsFile(string path, MemoryMappedFile file, MemoryMappedViewAccessor view)
    {
        _path = path;
        _file = file;
        _view = view;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; private set; } = ImmutableDictionary<string, SafetensorsEntry>.Empty;

    /// <exception cref="UserErrorException">The file is missing, truncated or malformed.</exception>
    public static SafetensorsFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException($"{path} is missing.");
        }

        long length = new FileInfo(path).Length;
        if (length < sizeof(ulong))
        {
            throw new UserErrorException($"{path} is truncated: {length} bytes are less than a safetensors header.");
        }

        var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        var opened = new SafetensorsFile(path, file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read));
        try
        {
            opened.Entries = opened.ReadHeader(length);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Copies one tensor to CPU memory in its stored type. The caller owns it.</summary>
    public Tensor Read(string name)
    {
        if (!Entries.TryGetValue(name, out SafetensorsEntry? entry))
        {
            throw new UserErrorException($"{_path}: tensor {name} is missing.");
        }

        Tensor result = empty([.. entry.Shape], entry.Dtype, CPU);
        using DisposeScope _ = NewDisposeScope();
        Tensor flat = result.view(-1);
        int width = SafetensorsType.Width(entry.Dtype);

        // A span is at most 2³¹ − 1 bytes long.
        long part = (1L << 30) / width;
        for (long element = 0; element < flat.shape[0]; element += part)
        {
            int count = (int)Math.Min(part, flat.shape[0] - element);
            new ReadOnlySpan<byte>(_start + entry.Offset + element * width, count * width).CopyTo(flat.narrow(0, element, count).bytes);
        }

        return result;
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private Dictionary<string, SafetensorsEntry> ReadHeader(long length)
    {
        ulong header = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(_start, sizeof(ulong)));
        if (header > LongestHeader)
        {
            throw Malformed($"its header claims {header} bytes, more than the {LongestHeader} that the format allows");
        }

        long data = sizeof(ulong) + (long)header;
        if (data > length)
        {
            throw new UserErrorException($"{_path} is truncated: its header ends at byte {data}, the file at {length}.");
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(new ReadOnlySpan<byte>(_start + sizeof(ulong), (int)header).ToArray());
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Malformed("its header is not a JSON object");
            }

            var entries = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
            foreach (JsonProperty property in json.RootElement.EnumerateObject().Where(property => property.Name != "__metadata__"))
            {
                if (!entries.TryAdd(property.Name, ReadEntry(property.Name, property.Value, data, length)))
                {
                    throw Malformed($"tensor {property.Name} appears twice");
                }
            }

            return entries;
        }
        catch (JsonException error)
        {
            throw Malformed($"its header is not valid JSON: {error.Message}");
        }
    }

    private SafetensorsEntry ReadEntry(string name, JsonElement json, long data, long length)
    {
        if (json.ValueKind != JsonValueKind.Object
            || !json.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String
            || !json.TryGetProperty("shape", out JsonElement shape) || !Naturals(shape, out ImmutableArray<long> sizes)
            || !json.TryGetProperty("data_offsets", out JsonElement offsets) || !Naturals(offsets, out ImmutableArray<long> range)
            || range.Length != 2)
        {
            throw Malformed($"tensor {name} lacks a dtype, a shape or two data_offsets");
        }

        if (SafetensorsType.Parse(dtype.GetString()!) is not { } type)
        {
            throw new UserErrorException($"{_path}: tensor {name} has type {dtype.GetString()}; supported are {SafetensorsType.Names}.");
        }

        long begin = range[0];
        long end = range[1];
        if (end < begin || end > length - data)
        {
            throw new UserErrorException(
                $"{_path}: tensor {name} lies at bytes {begin} to {end} of {length - data} that the file holds; the file is truncated or malformed.");
        }

        long bytes = SafetensorsType.Width(type);
        foreach (long size in sizes)
        {
            bytes = size == 0 || bytes <= long.MaxValue / size ? bytes * size : throw Malformed($"the shape of tensor {name} overflows");
        }

        return bytes == end - begin
            ? new SafetensorsEntry(type, sizes, data + begin, bytes)
            : throw Malformed($"tensor {name} of shape [{string.Join(", ", sizes)}] needs {bytes} bytes, its data_offsets give {end - begin}");
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

    private UserErrorException Malformed(string what) => new($"{_path} is malformed: {what}.");
}
