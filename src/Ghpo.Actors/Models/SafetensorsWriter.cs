using System.Text.Json;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>A tensor that is to be written, wherever its bytes are.</summary>
/// <param name="Visit">Hands over the tensor's bytes in order.</param>
internal sealed record TensorSource(string Name, ScalarType Dtype, IReadOnlyList<long> Shape, Action<TensorBytes.Visitor> Visit)
{
    internal long Bytes => Shape.Aggregate((long)SafetensorsType.Width(Dtype), (bytes, size) => bytes * size);

    internal static TensorSource Of(string name, Tensor tensor) => new(name, tensor.dtype, tensor.shape, visit => TensorBytes.Visit(tensor, visit));

    internal static TensorSource Of(string name, SafetensorsFile file) => new(name, file.Entries[name].Dtype, file.Entries[name].Shape, visit => file.Visit(name, visit));
}

/// <summary>Writes safetensors files.</summary>
public static class SafetensorsWriter
{
    /// <summary>
    /// Writes the tensors in ordinal order of their names, so that equal tensors give equal files, and flushes the file to the disk. Each tensor
    /// keeps its type. Metadata says format = pt, as PyTorch's reader requires.
    /// </summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        Write(path, tensors.Select(entry => TensorSource.Of(entry.Key, entry.Value)));

    internal static void Write(string path, IEnumerable<TensorSource> tensors)
    {
        using FileStream file = File.Create(path);
        Write(file, tensors);
        file.Flush(flushToDisk: true);
    }

    /// <summary>The same bytes into a stream, straight from the tensors' memory.</summary>
    public static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        Write(stream, tensors.Select(entry => TensorSource.Of(entry.Key, entry.Value)));

    private static void Write(Stream stream, IEnumerable<TensorSource> tensors)
    {
        TensorSource[] ordered = [.. tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
        byte[] header = Header(ordered);
        stream.Write(BitConverter.GetBytes((ulong)header.Length));
        stream.Write(header);
        foreach (TensorSource tensor in ordered)
        {
            tensor.Visit(stream.Write);
        }
    }

    private static byte[] Header(TensorSource[] ordered)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            long offset = 0;
            foreach (TensorSource tensor in ordered)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", SafetensorsType.Name(tensor.Dtype));
                json.WriteStartArray("shape");
                foreach (long size in tensor.Shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset += tensor.Bytes;
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // The format asks for data that starts at a multiple of 8; spaces may follow the JSON.
        while (buffer.Length % sizeof(ulong) != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }
}
