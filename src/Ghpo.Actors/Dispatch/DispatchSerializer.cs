using System.Buffers;
using System.Collections.Frozen;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Ghpo.Learning;
using Ghpo.Rollout;
using MessagePack;
using static Ghpo.Dispatch.SessionProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// What nodes of a run say to each other, on the wire: MessagePack, written field by field, under manifests that never change. No CLR name is ever written. All
/// nodes of a run are of one version; a manifest that is not known is an error.
/// </summary>
internal sealed class DispatchSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public const int FixedIdentifier = 7602;

    /// <summary>Frames are not longer (akka.conf); a longer message would be dropped by the transport with a line in the log, and nobody would hear of it.</summary>
    public const int MostBytes = 4_000_000;

    private static readonly Format[] Formats =
    [
        Format.Of<OfferWorker>("ow-v1", DispatchWire.WriteOffer, DispatchWire.ReadOffer),
        Format.Of<WorkerWelcomed>("ww-v1", DispatchWire.WriteWelcome, DispatchWire.ReadWelcome),
        Format.Of<WorkerRefused>("wr-v1", DispatchWire.WriteRefused, DispatchWire.ReadRefused),
        Format.Of<LeasedGroup>("lg-v1", DispatchWire.WriteLeased, DispatchWire.ReadLeased),
        Format.Of<SampledAnswer>("sa-v1", DispatchWire.WriteAnswer, DispatchWire.ReadAnswer),
        Format.Of<AnswerFailed>("af-v1", DispatchWire.WriteFailed, DispatchWire.ReadFailed),
        Format.Of<WorkReported>("rp-v1", DispatchWire.WriteReport, DispatchWire.ReadReport),
        Format.Of<SessionLeft>("sl-v1", DispatchWire.WriteLeft, DispatchWire.ReadLeft),
        Format.Of<LearnerProtocol.PolicyPublished>("pp-v1", DispatchWire.WritePublished, DispatchWire.ReadPublished),
        Format.Of<HeldPolicy>("hp-v1", DispatchWire.WriteHeld, DispatchWire.ReadHeld),
    ];

    private static readonly FrozenDictionary<Type, Format> ByType = Formats.ToFrozenDictionary(format => format.Type);
    private static readonly FrozenDictionary<string, Format> ByManifest = Formats.ToFrozenDictionary(format => format.Manifest);

    internal delegate void WriteMessage<in T>(ref MessagePackWriter writer, T value, ExtendedActorSystem system);

    internal delegate T ReadMessage<out T>(ref MessagePackReader reader, ExtendedActorSystem system);

    /// <summary>Every type that this serializer writes.</summary>
    public static IReadOnlyCollection<Type> Types => ByType.Keys;

    public override int Identifier => FixedIdentifier;

    public override string Manifest(object o) => FormatOf(o).Manifest;

    /// <exception cref="SerializationException">The type has no manifest, or the message is too long for a frame.</exception>
    public override byte[] ToBinary(object obj)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        Format format = FormatOf(obj);
        format.Write(ref writer, obj, system);
        writer.Flush();
        return buffer.WrittenCount <= MostBytes
            ? buffer.WrittenSpan.ToArray()
            : throw new SerializationException(
                $"A {obj.GetType().Name} of {buffer.WrittenCount} bytes does not fit a frame of {MostBytes}; lower rollout.max-new-tokens or prompt.max-tokens.");
    }

    /// <exception cref="SerializationException">The manifest is unknown, or the bytes are not what it promises.</exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (!ByManifest.TryGetValue(manifest, out Format? format))
        {
            throw new SerializationException($"Manifest '{manifest}' is unknown: a node of another version?");
        }

        var reader = new MessagePackReader(bytes);
        object value;
        try
        {
            value = format.Read(ref reader, system);
        }
        catch (Exception failure) when (failure is MessagePackSerializationException or EndOfStreamException or ArgumentException or OverflowException)
        {
            throw new SerializationException($"{bytes.Length} bytes under manifest '{manifest}' are damaged: {failure.Message}", failure);
        }

        return reader.End
            ? value
            : throw new SerializationException($"{bytes.Length} bytes under manifest '{manifest}' are damaged: {bytes.Length - reader.Consumed} are left over");
    }

    private static Format FormatOf(object value) => ByType.TryGetValue(value.GetType(), out Format? format)
        ? format
        : throw new SerializationException($"{value.GetType()} is no message between nodes: give it a manifest in {nameof(DispatchSerializer)}.");

    private sealed record Format(Type Type, string Manifest, WriteMessage<object> Write, ReadMessage<object> Read)
    {
        internal static Format Of<T>(string manifest, WriteMessage<T> write, ReadMessage<T> read)
            where T : notnull => new(
                typeof(T),
                manifest,
                (ref writer, value, system) => write(ref writer, (T)value, system),
                (ref reader, system) => read(ref reader, system));
    }
}
