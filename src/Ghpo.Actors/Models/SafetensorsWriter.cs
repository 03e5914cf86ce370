using System.Text.Json;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Writes safetensors files.</summary>
public static class SafetensorsWriter
{
    /// <summary>
    /// Writes the tensors in ordinal order of their names, so that equal tensors give equal files, and flushes the file to the disk. Each tensor
    /// keeps its type. Metadata says format = pt, as PyTorch's reader requires.
    /// </summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        using FileStream file = File.Create(path);
        Write(file, tensors);
        file.Flush(flushToDisk: true);
    }

    /// <summary>The same bytes into a stream, straight from the tensors' memory.</summary>
    public static void Write(Stream stream, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        KeyValuePair<string, Tensor>[] ordered = [.. tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal)];
        byte[] header = Header(ordered);
        stream.Write(BitConverter.GetBytes((ulong)header.Length));
        stream.Write(header);
        foreach ((_, Tensor tensor) in ordered)
        {
            TensorBytes.Visit(tensor, stream.Write);
        }
    }

    private static byte[] Header(KeyValuePair<string, Tensor>[] ordered)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            long offset = 0;
            foreach ((string name, Tensor tensor) in ordered)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", SafetensorsType.Name(tensor.dtype));
                json.WriteStartArray("shape");
                foreach (long size in tensor.shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset += tensor.NumberOfElements * SafetensorsType.Width(tensor.dtype);
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
