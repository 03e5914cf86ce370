using System.Buffers;
using System.Collections.Frozen;
using System.Runtime.Serialization;
using MessagePack;

namespace Ghpo.Journal;

/// <summary>One manifest: the bytes that it promises, and the type that they are read as.</summary>
/// <param name="Write">Null: an older format, which is only read.</param>
internal sealed record WireFormat(Type Type, string Manifest, Wire.Write<object>? Write, Wire.Read<object> Read)
{
    internal static WireFormat Of<T>(string manifest, Wire.Write<T> write, Wire.Read<T> read)
        where T : notnull => new(typeof(T), manifest, (ref writer, value) => write(ref writer, (T)value), (ref reader) => read(ref reader));

    /// <summary>What was written of an earlier version of the type, read as the present one.</summary>
    internal static WireFormat Older<T>(string manifest, Wire.Read<T> read)
        where T : notnull => new(typeof(T), manifest, null, (ref reader) => read(ref reader));
}

/// <summary>
/// The closed set of manifests that a serializer writes and reads: manifest ⇄ type ⇄ fields. Bytes that are cut, damaged or too long are an error, and so is whatever is
/// not in the set; a manifest is looked up and never becomes a type's name.
/// </summary>
/// <param name="reader">What to say where a manifest is unknown: who may have written it.</param>
/// <param name="member">What a type of the set is, for the error about one that is none.</param>
internal sealed class WireFormats(string reader, string member, params IReadOnlyCollection<WireFormat> formats)
{
    private readonly FrozenDictionary<Type, WireFormat> _byType = formats.Where(format => format.Write is not null).ToFrozenDictionary(format => format.Type);
    private readonly FrozenDictionary<string, WireFormat> _byManifest = formats.ToFrozenDictionary(format => format.Manifest);

    /// <summary>The types that can be written.</summary>
    public IReadOnlyCollection<Type> Types => _byType.Keys;

    public IReadOnlyCollection<string> Manifests => _byManifest.Keys;

    /// <summary>The manifests, of all versions, of a type.</summary>
    public IEnumerable<string> ManifestsOf(Type type) => formats.Where(format => format.Type == type).Select(format => format.Manifest);

    /// <exception cref="SerializationException">The type has no manifest.</exception>
    public string ManifestOf(object value) => FormatOf(value).Manifest;

    /// <exception cref="SerializationException">The type has no manifest.</exception>
    public ReadOnlySpan<byte> Write(object value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        FormatOf(value).Write!(ref writer, value);
        writer.Flush();
        return buffer.WrittenSpan;
    }

    /// <exception cref="SerializationException">The manifest is unknown, or the bytes are not what it promises.</exception>
    public object Read(ReadOnlyMemory<byte> bytes, string manifest)
    {
        if (!_byManifest.TryGetValue(manifest, out WireFormat? format))
        {
            throw new SerializationException($"Manifest '{manifest}' is unknown; known are {string.Join(", ", formats.Select(known => known.Manifest))}. {reader}");
        }

        var fields = new MessagePackReader(bytes);
        object value;
        try
        {
            value = format.Read(ref fields);
        }
        catch (Exception failure) when (failure is MessagePackSerializationException or EndOfStreamException or SerializationException
            or ArgumentException or OverflowException or FormatException)
        {
            throw new SerializationException($"{bytes.Length} bytes under manifest '{manifest}' are damaged: {failure.Message}", failure);
        }

        return fields.End
            ? value
            : throw new SerializationException($"{bytes.Length} bytes under manifest '{manifest}' are damaged: {bytes.Length - fields.Consumed} are left over");
    }

    private WireFormat FormatOf(object value) =>
        _byType.TryGetValue(value.GetType(), out WireFormat? format) ? format : throw new SerializationException($"{value.GetType()} is no {member}.");
}
