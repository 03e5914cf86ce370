using System.Text.Json;
using TorchSharp;
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
        KeyValuePair<string, Tensor>[] ordered = [.. tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal)];
        using FileStream file = File.Create(path);
        byte[] header = Header(ordered);
        file.Write(BitConverter.GetBytes((ulong)header.Length));
        file.Write(header);
        using IDisposable _ = no_grad();
        foreach ((string name, Tensor tensor) in ordered)
        {
            WriteElements(file, tensor);
        }

        file.Flush(flushToDisk: true);
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

    private static void WriteElements(FileStream file, Tensor tensor)
    {
        using DisposeScope _ = NewDisposeScope();
        Tensor flat = tensor.detach().cpu().contiguous().view(-1);
        long part = (1L << 28) / SafetensorsType.Width(flat.dtype);
        for (long element = 0; element < flat.shape[0]; element += part)
        {
            file.Write(flat.narrow(0, element, Math.Min(part, flat.shape[0] - element)).bytes);
        }
    }
}
