using System.Buffers;
using System.Collections.Frozen;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;
using MessagePack;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>
/// Events and snapshots on disk: MessagePack, written field by field, under manifests that never change. No CLR name is ever written, so code
/// can be renamed and bytes cannot choose a type. A format that must change gets a new manifest (<c>-v2</c>) and the old one stays readable.
/// </summary>
public sealed class GhpoEventSerializer(ExtendedActorSystem? system) : SerializerWithStringManifest(system!)
{
    /// <summary>Stands in every row of every journal; never changes.</summary>
    public const int FixedIdentifier = 7601;

    private static readonly Format[] Formats =
    [
        Format.Of<StepPlanned>("sp-v1", CurriculumWire.WritePlanned, CurriculumWire.ReadPlanned),
        Format.Of<OutcomeRecorded>("or-v1", CurriculumWire.WriteOutcome, CurriculumWire.ReadOutcome),
        Format.Of<HintRaised>("hr-v1", HintWire.WriteRaised, HintWire.ReadRaised),
        Format.Of<GroupReleased>("gr-v1", HintWire.WriteReleased, HintWire.ReadReleased),
        Format.Of<EpochStarted>("es-v1", LearnerWire.WriteEpoch, LearnerWire.ReadEpoch),
        Format.Of<GroupSettled>("gs-v1", LearnerWire.WriteSettled, LearnerWire.ReadSettled),
        Format.Of<StepCommitted>("sc-v1", LearnerWire.WriteCommitted, LearnerWire.ReadCommitted),
        Format.Of<CheckpointTaken>("ct-v1", LearnerWire.WriteCheckpoint, LearnerWire.ReadCheckpoint),
        Format.Of<PolicyEvaluated>("pe-v1", LearnerWire.WriteEvaluated, LearnerWire.ReadEvaluated),
        Format.Of<GroupPruned>("gp-v1", GroupFactsWire.WritePruned, GroupFactsWire.ReadPruned),
        Format.Of<RunForked>("rf-v1", LearnerWire.WriteForked, LearnerWire.ReadForked),
        Format.Of<ControlApplied>("ca-v1", LearnerWire.WriteControl, LearnerWire.ReadControl),
        Format.Of<SteeringProtocol.RunSteered>("rs-v1", LearnerWire.WriteSteered, LearnerWire.ReadSteered),
        Format.Of<CurriculumState>("cs-v1", CurriculumWire.WriteState, CurriculumWire.ReadState),
        Format.Of<HintState>("hs-v1", HintWire.WriteState, HintWire.ReadState),
        Format.Older<LearnerState>("ls-v1", LearnerWire.ReadStateWithoutControls),
        Format.Older<LearnerState>("ls-v2", LearnerWire.ReadStateWithoutPause),
        Format.Of<LearnerState>("ls-v3", LearnerWire.WriteState, LearnerWire.ReadState),
    ];

    private static readonly FrozenDictionary<Type, Format> ByType = Formats.Where(format => format.Write is not null).ToFrozenDictionary(format => format.Type);
    private static readonly FrozenDictionary<string, Format> ByManifest = Formats.ToFrozenDictionary(format => format.Manifest);

    private delegate void WriteObject(ref MessagePackWriter writer, object value);

    private delegate object ReadObject(ref MessagePackReader reader);

    /// <summary>Every type that this serializer writes.</summary>
    public static IReadOnlyCollection<Type> Types => ByType.Keys;

    public static IReadOnlyCollection<string> Manifests => ByManifest.Keys;

    /// <summary>The manifests, of all versions, that a type is journalled under.</summary>
    public static IEnumerable<string> ManifestsOf(Type type) => Formats.Where(format => format.Type == type).Select(format => format.Manifest);

    public override int Identifier => FixedIdentifier;

    public override string Manifest(object o) => FormatOf(o).Manifest;

    public override byte[] ToBinary(object obj)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        FormatOf(obj).Write!(ref writer, obj);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="SerializationException">The manifest is unknown, or the bytes are not what it promises.</exception>
    public override object FromBinary(byte[] bytes, string manifest) => Read(bytes, manifest);

    /// <summary>Reads an event or snapshot without an actor system.</summary>
    /// <exception cref="SerializationException">The manifest is unknown, or the bytes are not what it promises.</exception>
    public static object Read(ReadOnlyMemory<byte> bytes, string manifest)
    {
        if (!ByManifest.TryGetValue(manifest, out Format? format))
        {
            throw new SerializationException(
                $"Manifest '{manifest}' is unknown; known are {string.Join(", ", Formats.Select(known => known.Manifest))}. "
                + "The journal was written by a newer version, or by another program.");
        }

        var reader = new MessagePackReader(bytes);
        object value;
        try
        {
            value = format.Read(ref reader);
        }
        catch (Exception failure) when (failure is MessagePackSerializationException or EndOfStreamException or SerializationException
            or ArgumentException or OverflowException)
        {
            throw new SerializationException($"{bytes.Length} bytes under manifest '{manifest}' are damaged: {failure.Message}", failure);
        }

        return reader.End
            ? value
            : throw new SerializationException(
                $"{bytes.Length} bytes under manifest '{manifest}' are damaged: {bytes.Length - reader.Consumed} are left over");
    }

    private static Format FormatOf(object value) => ByType.TryGetValue(value.GetType(), out Format? format)
        ? format
        : throw new SerializationException($"{value.GetType()} is no journalled type: give it a manifest in {nameof(GhpoEventSerializer)}.");

    /// <param name="Write">Null: an older format, which is only read.</param>
    private sealed record Format(Type Type, string Manifest, WriteObject? Write, ReadObject Read)
    {
        internal static Format Of<T>(string manifest, Wire.Write<T> write, Wire.Read<T> read)
            where T : notnull => new(
                typeof(T),
                manifest,
                (ref writer, value) => write(ref writer, (T)value),
                (ref reader) => read(ref reader));

        /// <summary>What journals hold of an earlier version of the type, read as the present one.</summary>
        internal static Format Older<T>(string manifest, Wire.Read<T> read)
            where T : notnull => new(typeof(T), manifest, null, (ref reader) => read(ref reader));
    }
}
