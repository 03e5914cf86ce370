using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Rollout;
using static Ghpo.Dispatch.SessionProtocol;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// What nodes of a run say to each other, on the wire: MessagePack, written field by field, under manifests that never change. No CLR name is written but the one that
/// Akka's own serializer puts into a StreamRef: its element's. All nodes of a run are of one version; a manifest that is not known is an error.
/// </summary>
internal sealed class DispatchSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public const int FixedIdentifier = 7602;

    /// <summary>Frames are not longer (akka.conf); a longer message would be dropped by the transport with a line in the log, and nobody would hear of it.</summary>
    public const int MostBytes = 4_000_000;

    private readonly WireFormats _formats = Formats(system);

    /// <summary>Every type that this serializer writes.</summary>
    public static IReadOnlyCollection<Type> Types { get; } = Formats(null).Types;

    public static IReadOnlyCollection<string> Manifests { get; } = Formats(null).Manifests;

    public override int Identifier => FixedIdentifier;

    public override string Manifest(object o) => _formats.ManifestOf(o);

    /// <exception cref="SerializationException">The type has no manifest, or the message is too long for a frame.</exception>
    public override byte[] ToBinary(object obj)
    {
        ReadOnlySpan<byte> bytes = _formats.Write(obj);
        return bytes.Length <= MostBytes
            ? bytes.ToArray()
            : throw new SerializationException(
                $"A {obj.GetType().Name} of {bytes.Length} bytes does not fit a frame of {MostBytes}; lower rollout.max-new-tokens or prompt.max-tokens.");
    }

    /// <exception cref="SerializationException">The manifest is unknown, or the bytes are not what it promises.</exception>
    public override object FromBinary(byte[] bytes, string manifest) => _formats.Read(bytes, manifest);

    /// <param name="system">Whose actors and streams are meant; null: nothing is to be written or read.</param>
    private static WireFormats Formats(ExtendedActorSystem? system) => new(
        "Is the other node of another version? All nodes of a run have to be of one.",
        $"message between nodes: give it a manifest in {nameof(DispatchSerializer)}",
        WireFormat.Of<OfferWorker>("ow-v2", DispatchWire.WriteOffer, (ref reader) => DispatchWire.ReadOffer(ref reader, system!)),
        WireFormat.Of<WorkerWelcomed>(
            "ww-v5", (ref writer, welcome) => DispatchWire.WriteWelcome(ref writer, welcome, system!), (ref reader) => DispatchWire.ReadWelcome(ref reader, system!)),
        WireFormat.Of<WorkerRefused>("wr-v1", DispatchWire.WriteRefused, DispatchWire.ReadRefused),
        WireFormat.Of<LeasedGroup>("lg-v1", DispatchWire.WriteLeased, DispatchWire.ReadLeased),
        WireFormat.Of<SampledAnswers>("sa-v3", DispatchWire.WriteAnswers, DispatchWire.ReadAnswers),
        WireFormat.Of<AnswerFailed>("af-v1", DispatchWire.WriteFailed, DispatchWire.ReadFailed),
        WireFormat.Of<GroupWithdrawn>("gw-v1", DispatchWire.WriteWithdrawn, DispatchWire.ReadWithdrawn),
        WireFormat.Of<WorkReported>("rp-v3", DispatchWire.WriteReport, DispatchWire.ReadReport),
        WireFormat.Of<SessionLeft>("sl-v1", DispatchWire.WriteLeft, DispatchWire.ReadLeft),
        WireFormat.Of<LearnerProtocol.PolicyPublished>("pp-v1", DispatchWire.WritePublished, DispatchWire.ReadPublished),
        WireFormat.Of<HeldPolicy>("hp-v1", DispatchWire.WriteHeld, DispatchWire.ReadHeld),
        WireFormat.Of<OfferVerifier>("ov-v1", VerificationWire.WriteOffer, (ref reader) => VerificationWire.ReadOffer(ref reader, system!)),
        WireFormat.Of<VerifierWelcomed>(
            "vw-v2", (ref writer, welcome) => VerificationWire.WriteWelcome(ref writer, welcome, system!), (ref reader) => VerificationWire.ReadWelcome(ref reader, system!)),
        WireFormat.Of<AnswerToJudge>("aj-v1", VerificationWire.WriteAnswer, VerificationWire.ReadAnswer),
        WireFormat.Of<AnswerJudged>("ja-v1", VerificationWire.WriteJudged, VerificationWire.ReadJudged));
}
