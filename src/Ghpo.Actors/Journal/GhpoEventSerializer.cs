using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;
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

    private static readonly WireFormats Formats = new(
        "The journal was written by a newer version, or by another program.",
        $"journalled type: give it a manifest in {nameof(GhpoEventSerializer)}",
        WireFormat.Of<StepPlanned>("sp-v1", CurriculumWire.WritePlanned, CurriculumWire.ReadPlanned),
        WireFormat.Of<OutcomeRecorded>("or-v1", CurriculumWire.WriteOutcome, CurriculumWire.ReadOutcome),
        WireFormat.Of<HintRaised>("hr-v1", HintWire.WriteRaised, HintWire.ReadRaised),
        WireFormat.Of<GroupReleased>("gr-v1", HintWire.WriteReleased, HintWire.ReadReleased),
        WireFormat.Of<EpochStarted>("es-v1", LearnerWire.WriteEpoch, LearnerWire.ReadEpoch),
        WireFormat.Of<GroupSettled>("gs-v1", LearnerWire.WriteSettled, LearnerWire.ReadSettled),
        WireFormat.Of<StepCommitted>("sc-v1", LearnerWire.WriteCommitted, LearnerWire.ReadCommitted),
        WireFormat.Of<CheckpointTaken>("ct-v1", LearnerWire.WriteCheckpoint, LearnerWire.ReadCheckpoint),
        WireFormat.Of<PolicyEvaluated>("pe-v1", LearnerWire.WriteEvaluated, LearnerWire.ReadEvaluated),
        WireFormat.Of<GroupPruned>("gp-v1", GroupFactsWire.WritePruned, GroupFactsWire.ReadPruned),
        WireFormat.Of<RunForked>("rf-v1", LearnerWire.WriteForked, LearnerWire.ReadForked),
        WireFormat.Of<ControlApplied>("ca-v1", LearnerWire.WriteControl, LearnerWire.ReadControl),
        WireFormat.Of<SteeringProtocol.RunSteered>("rs-v1", LearnerWire.WriteSteered, LearnerWire.ReadSteered),
        WireFormat.Of<SteeringProtocol.MemberSteered>("ms-v1", LearnerWire.WriteMemberSteered, LearnerWire.ReadMemberSteered),
        WireFormat.Of<CurriculumState>("cs-v1", CurriculumWire.WriteState, CurriculumWire.ReadState),
        WireFormat.Of<HintState>("hs-v1", HintWire.WriteState, HintWire.ReadState),
        WireFormat.Older<LearnerState>("ls-v1", LearnerWire.ReadStateWithoutControls),
        WireFormat.Older<LearnerState>("ls-v2", LearnerWire.ReadStateWithoutPause),
        WireFormat.Of<LearnerState>("ls-v3", LearnerWire.WriteState, LearnerWire.ReadState));

    /// <summary>Every type that this serializer writes.</summary>
    public static IReadOnlyCollection<Type> Types => Formats.Types;

    public static IReadOnlyCollection<string> Manifests => Formats.Manifests;

    /// <summary>The manifests, of all versions, that a type is journalled under.</summary>
    public static IEnumerable<string> ManifestsOf(Type type) => Formats.ManifestsOf(type);

    public override int Identifier => FixedIdentifier;

    public override string Manifest(object o) => Formats.ManifestOf(o);

    public override byte[] ToBinary(object obj) => Formats.Write(obj).ToArray();

    /// <exception cref="SerializationException">The manifest is unknown, or the bytes are not what it promises.</exception>
    public override object FromBinary(byte[] bytes, string manifest) => Read(bytes, manifest);

    /// <summary>Reads an event or snapshot without an actor system.</summary>
    /// <exception cref="SerializationException">The manifest is unknown, or the bytes are not what it promises.</exception>
    public static object Read(ReadOnlyMemory<byte> bytes, string manifest) => Formats.Read(bytes, manifest);
}
