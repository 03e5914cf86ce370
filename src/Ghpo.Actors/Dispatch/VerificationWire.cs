using Akka.Actor;
using Akka.Streams;
using Ghpo.Journal;
using Ghpo.Rollout;
using Ghpo.Verification;
using MessagePack;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Dispatch;

/// <summary>The fields of <see cref="VerificationProtocol"/>'s messages, in their order.</summary>
internal static class VerificationWire
{
    internal static void WriteOffer(ref MessagePackWriter writer, OfferVerifier offer)
    {
        writer.WriteArrayHeader(3);
        writer.Write(offer.Name);
        DispatchWire.WriteActor(ref writer, offer.Session);
        writer.Write(offer.Capacity);
    }

    internal static OfferVerifier ReadOffer(ref MessagePackReader reader, ExtendedActorSystem system)
    {
        reader.Fields(3, nameof(OfferVerifier));
        return new OfferVerifier(reader.ReadText(), DispatchWire.ReadActor(ref reader, system), reader.ReadInt32());
    }

    internal static void WriteWelcome(ref MessagePackWriter writer, VerifierWelcomed welcome, ExtendedActorSystem system)
    {
        writer.WriteArrayHeader(8);
        DispatchWire.WriteActor(ref writer, welcome.Session);
        writer.Write(welcome.Setup.Run);
        writer.WriteEnum(welcome.Setup.Extraction);
        writer.WriteEnum(welcome.Setup.Format);
        writer.Write(welcome.Setup.Precision);
        writer.Write(welcome.Inspection);
        DispatchWire.WriteRef(ref writer, welcome.Work, system);
        DispatchWire.WriteRef(ref writer, welcome.Judged, system);
    }

    internal static VerifierWelcomed ReadWelcome(ref MessagePackReader reader, ExtendedActorSystem system)
    {
        reader.Fields(8, nameof(VerifierWelcomed));
        return new VerifierWelcomed(
            DispatchWire.ReadActor(ref reader, system),
            new VerifierSetup(reader.ReadText(), reader.ReadEnum<AnswerMarker>(), reader.ReadEnum<FormatRule>(), reader.ReadInt32()),
            reader.ReadText(),
            (ISourceRef<AnswerToJudge>)DispatchWire.ReadRef(ref reader, system),
            (ISinkRef<AnswerJudged>)DispatchWire.ReadRef(ref reader, system));
    }

    internal static void WriteAnswer(ref MessagePackWriter writer, AnswerToJudge answer)
    {
        writer.WriteArrayHeader(8);
        WriteKey(ref writer, answer.Key);
        writer.Write(answer.Problem.Value);
        writer.Write(answer.Reference);
        writer.Write(answer.Text);
        writer.WriteEnum(answer.Finish);
    }

    internal static AnswerToJudge ReadAnswer(ref MessagePackReader reader)
    {
        reader.Fields(8, nameof(AnswerToJudge));
        return new AnswerToJudge(ReadKey(ref reader), reader.ReadProblem(), reader.ReadText(), reader.ReadText(), reader.ReadEnum<FinishReason>());
    }

    internal static void WriteJudged(ref MessagePackWriter writer, AnswerJudged judged)
    {
        writer.WriteArrayHeader(7);
        WriteKey(ref writer, judged.Key);
        writer.WriteEnum(judged.Judgement.Verdict);
        writer.Write(judged.Judgement.Format);
        writer.Write(judged.Judgement.Reason);
    }

    internal static AnswerJudged ReadJudged(ref MessagePackReader reader)
    {
        reader.Fields(7, nameof(AnswerJudged));
        return new AnswerJudged(ReadKey(ref reader), new Judgement(reader.ReadEnum<Verdict>(), reader.ReadBoolean(), reader.ReadText()));
    }

    /// <summary>Four fields: step and index of the group, attempt, answer.</summary>
    private static void WriteKey(ref MessagePackWriter writer, AnswerKey key)
    {
        writer.WriteGroup(key.Work.Group);
        writer.Write(key.Work.Attempt);
        writer.Write(key.Answer);
    }

    private static AnswerKey ReadKey(ref MessagePackReader reader) => new(new WorkKey(reader.ReadGroup(), reader.ReadInt32()), reader.ReadInt32());
}
