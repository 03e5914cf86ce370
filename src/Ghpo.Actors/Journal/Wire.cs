using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Serialization;
using Ghpo.Curriculum;
using Ghpo.Problems;
using Ghpo.Rollout;
using MessagePack;

namespace Ghpo.Journal;

/// <summary>
/// How the values that all events share are written. A record is an array of its fields in order, so a reader that expects another number of
/// fields fails instead of misreading; enums are their numbers.
/// </summary>
internal static class Wire
{
    internal delegate void Write<in T>(ref MessagePackWriter writer, T value);

    internal delegate T Read<out T>(ref MessagePackReader reader);

    /// <summary>Opens a record.</summary>
    internal static void Fields(this ref MessagePackReader reader, int count, string of)
    {
        int found = reader.ReadArrayHeader();
        if (found != count)
        {
            throw new SerializationException($"{of} has {found} fields where {count} are expected");
        }
    }

    /// <summary>Opens a record whose last fields may be left out, and says how many it has.</summary>
    internal static int Fields(this ref MessagePackReader reader, int fewest, int most, string of)
    {
        int found = reader.ReadArrayHeader();
        return found >= fewest && found <= most
            ? found
            : throw new SerializationException($"{of} has {found} fields where {fewest} to {most} are expected");
    }

    internal static string ReadText(this ref MessagePackReader reader) =>
        reader.ReadString() ?? throw new SerializationException("a text is nil");

    internal static void WriteEnum<T>(this ref MessagePackWriter writer, T value)
        where T : struct, Enum => writer.Write(Convert.ToInt32(value, null));

    internal static T ReadEnum<T>(this ref MessagePackReader reader)
        where T : struct, Enum
    {
        int number = reader.ReadInt32();
        var value = (T)Enum.ToObject(typeof(T), number);
        return Enum.IsDefined(value) ? value : throw new SerializationException($"{typeof(T).Name} has no value {number}");
    }

    internal static void WriteList<T>(this ref MessagePackWriter writer, IReadOnlyCollection<T> items, Write<T> write)
    {
        writer.WriteArrayHeader(items.Count);
        foreach (T item in items)
        {
            write(ref writer, item);
        }
    }

    internal static ImmutableArray<T> ReadList<T>(this ref MessagePackReader reader, Read<T> read)
    {
        int count = reader.ReadArrayHeader();
        var items = ImmutableArray.CreateBuilder<T>(count);
        for (int i = 0; i < count; i++)
        {
            items.Add(read(ref reader));
        }

        return items.MoveToImmutable();
    }

    internal static void WriteNullable(this ref MessagePackWriter writer, double? value)
    {
        if (value is { } number)
        {
            writer.Write(number);
        }
        else
        {
            writer.WriteNil();
        }
    }

    internal static double? ReadNullableDouble(this ref MessagePackReader reader) => reader.TryReadNil() ? null : reader.ReadDouble();

    /// <summary>Ticks of UTC.</summary>
    internal static void WriteTime(this ref MessagePackWriter writer, DateTimeOffset time) => writer.Write(time.UtcTicks);

    internal static DateTimeOffset ReadTime(this ref MessagePackReader reader) => new(reader.ReadInt64(), TimeSpan.Zero);

    internal static void WriteNullable<T>(this ref MessagePackWriter writer, T? item, Write<T> write)
        where T : class
    {
        if (item is not null)
        {
            write(ref writer, item);
        }
        else
        {
            writer.WriteNil();
        }
    }

    internal static T? ReadNullable<T>(this ref MessagePackReader reader, Read<T> read)
        where T : class => reader.TryReadNil() ? null : read(ref reader);

    internal static void WriteTokens(this ref MessagePackWriter writer, ImmutableArray<int> tokens)
    {
        writer.WriteArrayHeader(tokens.Length);
        foreach (int token in tokens)
        {
            writer.Write(token);
        }
    }

    internal static ImmutableArray<int> ReadTokens(this ref MessagePackReader reader)
    {
        int[] tokens = new int[reader.ReadArrayHeader()];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = reader.ReadInt32();
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(tokens);
    }

    /// <summary>One block of little-endian float32: bit for bit what the sampler saw, and no per-value header.</summary>
    internal static void WriteFloats(this ref MessagePackWriter writer, ImmutableArray<float> values)
    {
        writer.WriteBinHeader(values.Length * sizeof(float));
        Span<byte> block = writer.GetSpan(values.Length * sizeof(float));
        for (int i = 0; i < values.Length; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteSingleLittleEndian(block[(i * sizeof(float))..], values[i]);
        }

        writer.Advance(values.Length * sizeof(float));
    }

    internal static ImmutableArray<float> ReadFloats(this ref MessagePackReader reader)
    {
        byte[] block = reader.ReadBytes()?.ToArray() ?? throw new SerializationException("a block of floats is nil");
        if (block.Length % sizeof(float) != 0)
        {
            throw new SerializationException($"a block of floats has {block.Length} bytes");
        }

        float[] values = new float[block.Length / sizeof(float)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = System.Buffers.Binary.BinaryPrimitives.ReadSingleLittleEndian(block.AsSpan(i * sizeof(float)));
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(values);
    }

    internal static void WriteGroup(this ref MessagePackWriter writer, GroupId group)
    {
        writer.Write(group.Step);
        writer.Write(group.Index);
    }

    internal static GroupId ReadGroup(this ref MessagePackReader reader) => new(reader.ReadInt32(), reader.ReadInt32());

    internal static ProblemId ReadProblem(this ref MessagePackReader reader) => new(reader.ReadText());

    internal static PolicyVersion ReadVersion(this ref MessagePackReader reader) => new(reader.ReadInt32());
}
