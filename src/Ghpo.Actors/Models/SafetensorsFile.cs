using System.Collections.Immutable;
using System.IO.MemoryMappedFiles;
using Ghpo.Configuration;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Type, shape and place of one tensor of a safetensors file.</summary>
/// <param name="Offset">Bytes from the start of the file.</param>
public sealed record SafetensorsEntry(ScalarType Dtype, ImmutableArray<long> Shape, long Offset, long Bytes);

/// <summary>
/// A safetensors file, memory-mapped: u64 header length N (little endian), N bytes of JSON, then the tensors' bytes.
/// The header is checked whole on opening, so reading never leaves the file. At most <see cref="Part"/> bytes are mapped at a time: pages of a mapping
/// count as the process's own. Thread-safe.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>Bytes mapped at a time; whole elements of every type.</summary>
    private const long Part = 1 << 26;

    private readonly MemoryMappedFile _file;

    private SafetensorsFile(string path, MemoryMappedFile file, IReadOnlyDictionary<string, SafetensorsEntry> entries)
    {
        Path = path;
        _file = file;
        Entries = entries;
    }

    public string Path { get; }

    public IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <exception cref="UserErrorException">The file is missing, unreadable, truncated or malformed.</exception>
    public static SafetensorsFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException($"{path} is missing.");
        }

        try
        {
            IReadOnlyDictionary<string, SafetensorsEntry> entries = SafetensorsHeader.Read(path);
            return new SafetensorsFile(path, MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read), entries);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{path} cannot be read: {error.Message}");
        }
    }

    /// <summary>Copies one tensor to CPU memory in its stored type. The caller owns it.</summary>
    /// <exception cref="UserErrorException">There is none of that name.</exception>
    public Tensor Read(string name)
    {
        SafetensorsEntry entry = Entry(name);
        Tensor result = empty([.. entry.Shape], entry.Dtype, CPU);
        CopyTo(name, result);
        return result;
    }

    /// <summary>Copies one tensor into another of as many elements, part by part, converting type and device.</summary>
    /// <param name="target">Contiguous.</param>
    /// <exception cref="UserErrorException">There is none of that name.</exception>
    public void CopyTo(string name, Tensor target)
    {
        SafetensorsEntry entry = Entry(name);
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor flat = target.view(-1);
        int width = SafetensorsType.Width(entry.Dtype);
        long element = 0;
        Visit(name, bytes =>
        {
            using Tensor part = empty([bytes.Length / width], entry.Dtype, CPU);
            bytes.CopyTo(part.bytes);
            using Tensor place = flat.narrow(0, element, part.shape[0]);
            place.copy_(part);
            element += part.shape[0];
        });
    }

    /// <summary>Hands over a tensor's stored bytes in parts.</summary>
    /// <exception cref="UserErrorException">There is none of that name.</exception>
    internal void Visit(string name, TensorBytes.Visitor visit)
    {
        SafetensorsEntry entry = Entry(name);
        for (long begin = 0; begin < entry.Bytes; begin += Part)
        {
            int count = (int)Math.Min(Part, entry.Bytes - begin);
            using MemoryMappedViewAccessor view = _file.CreateViewAccessor(entry.Offset + begin, count, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            try
            {
                visit(new ReadOnlySpan<byte>(start + view.PointerOffset, count));
            }
            finally
            {
                view.SafeMemoryMappedViewHandle.ReleasePointer();
            }
        }
    }

    public void Dispose() => _file.Dispose();

    private SafetensorsEntry Entry(string name) =>
        Entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw new UserErrorException($"{Path}: tensor {name} is missing.");
}
