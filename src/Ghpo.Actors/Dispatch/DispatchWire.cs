using System.Buffers;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Akka.Streams;
using Ghpo.Hints;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Rollout;
using MessagePack;
using static Ghpo.Dispatch.SessionProtocol;

namespace Ghpo.Dispatch;

/// <summary>The fields of <see cref="SessionProtocol"/>'s messages, in their order. Actors are written as their paths, StreamRefs as Akka writes them.</summary>
internal static class DispatchWire
{
    internal static void WriteOffer(ref MessagePackWriter writer, OfferWorker offer)
    {
        writer.WriteArrayHeader(4);
        writer.Write(offer.Name);
        WriteActor(ref writer, offer.Session);
        writer.Write(offer.Slots);
        writer.WriteNullable(offer.Engine, WriteEngine);
    }

    internal static OfferWorker ReadOffer(ref MessagePackReader reader, ExtendedActorSystem system)
    {
        reader.Fields(4, nameof(OfferWorker));
        return new OfferWorker(reader.ReadText(), ReadActor(ref reader, system), reader.ReadInt32(), reader.ReadNullable(ReadEngine));
    }

    internal static void WriteWelcome(ref MessagePackWriter writer, WorkerWelcomed welcome, ExtendedActorSystem system)
    {
        writer.WriteArrayHeader(6);
        WriteActor(ref writer, welcome.Session);
        WriteSetup(ref writer, welcome.Setup);
        writer.Write(welcome.Plane.AbsoluteUri);
        writer.Write(welcome.Inspection);
        WriteRef(ref writer, welcome.Work, system);
        WriteRef(ref writer, welcome.Answers, system);
    }

    internal static WorkerWelcomed ReadWelcome(ref MessagePackReader reader, ExtendedActorSystem system)
    {
        reader.Fields(6, nameof(WorkerWelcomed));
        return new WorkerWelcomed(
            ReadActor(ref reader, system),
            ReadSetup(ref reader),
            new Uri(reader.ReadText()),
            reader.ReadText(),
            (ISourceRef<LeasedGroup>)ReadRef(ref reader, system),
            (ISinkRef<SampledAnswers>)ReadRef(ref reader, system));
    }

    internal static void WriteRefused(ref MessagePackWriter writer, WorkerRefused refused)
    {
        writer.WriteArrayHeader(1);
        writer.Write(refused.Reason);
    }

    internal static WorkerRefused ReadRefused(ref MessagePackReader reader)
    {
        reader.Fields(1, nameof(WorkerRefused));
        return new WorkerRefused(reader.ReadText());
    }

    internal static void WriteLeased(ref MessagePackWriter writer, LeasedGroup leased)
    {
        PromptedGroup prompted = leased.Prompted;
        GroupAttempt attempt = prompted.Attempt;
        writer.WriteArrayHeader(prompted.Trace is null ? 12 : 13);
        writer.WriteGroup(attempt.Group);
        writer.Write(attempt.Problem.Value);
        writer.Write(attempt.Attempt);
        writer.Write(attempt.HintRatio);
        writer.Write(attempt.TokensSpent);
        writer.WriteTokens(prompted.Prompt);
        writer.WriteTokens(prompted.UnhintedPrompt);
        writer.Write(prompted.HintTokens);
        writer.Write(prompted.HintShortened);
        writer.Write(prompted.HasSolution);
        writer.Write(leased.Oldest.Value);
        if (prompted.Trace is not null)
        {
            writer.Write(prompted.Trace);
        }
    }

    internal static LeasedGroup ReadLeased(ref MessagePackReader reader)
    {
        int fields = reader.Fields(12, 13, nameof(LeasedGroup));
        var attempt = new GroupAttempt(reader.ReadGroup(), reader.ReadProblem(), reader.ReadInt32(), reader.ReadDouble(), reader.ReadInt32());
        var prompted = new PromptedGroup(attempt, reader.ReadTokens(), reader.ReadTokens(), reader.ReadInt32(), reader.ReadBoolean(), reader.ReadBoolean());
        PolicyVersion oldest = reader.ReadVersion();
        return new LeasedGroup(fields > 12 ? prompted with { Trace = reader.ReadText() } : prompted, oldest);
    }

    internal static void WriteAnswers(ref MessagePackWriter writer, SampledAnswers answers)
    {
        writer.WriteArrayHeader(7);
        writer.WriteGroup(answers.Key.Group);
        writer.Write(answers.Key.Attempt);
        writer.Write(answers.First);
        writer.WriteList(answers.Completions, WriteCompletion);
        writer.Write(answers.Epoch);
        writer.Write(answers.Version.Value);
    }

    internal static SampledAnswers ReadAnswers(ref MessagePackReader reader)
    {
        reader.Fields(7, nameof(SampledAnswers));
        return new SampledAnswers(
            new WorkKey(reader.ReadGroup(), reader.ReadInt32()), reader.ReadInt32(), reader.ReadList(ReadCompletion), reader.ReadInt64(), reader.ReadVersion());
    }

    internal static void WriteFailed(ref MessagePackWriter writer, AnswerFailed failed)
    {
        writer.WriteArrayHeader(5);
        writer.WriteGroup(failed.Key.Group);
        writer.Write(failed.Key.Attempt);
        writer.Write(failed.Reason);
        writer.Write(failed.Diverged);
    }

    internal static AnswerFailed ReadFailed(ref MessagePackReader reader)
    {
        reader.Fields(5, nameof(AnswerFailed));
        return new AnswerFailed(new WorkKey(reader.ReadGroup(), reader.ReadInt32()), reader.ReadText(), reader.ReadBoolean());
    }

    internal static void WriteWithdrawn(ref MessagePackWriter writer, GroupWithdrawn withdrawn)
    {
        writer.WriteArrayHeader(3);
        writer.WriteGroup(withdrawn.Key.Group);
        writer.Write(withdrawn.Key.Attempt);
    }

    internal static GroupWithdrawn ReadWithdrawn(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(GroupWithdrawn));
        return new GroupWithdrawn(new WorkKey(reader.ReadGroup(), reader.ReadInt32()));
    }

    internal static void WriteReport(ref MessagePackWriter writer, WorkReported report)
    {
        writer.WriteArrayHeader(5);
        writer.Write(report.RunningSequences);
        writer.Write(report.Starved);
        writer.Write(report.TokensSampled);
        writer.WriteNullable(report.Heard, WritePublished);
        writer.WriteNullable(report.Held, WriteHeld);
    }

    internal static WorkReported ReadReport(ref MessagePackReader reader)
    {
        reader.Fields(5, nameof(WorkReported));
        return new WorkReported(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadNullable(ReadPublished), reader.ReadNullable(ReadHeld));
    }

    internal static void WriteLeft(ref MessagePackWriter writer, SessionLeft left) => writer.WriteArrayHeader(0);

    internal static SessionLeft ReadLeft(ref MessagePackReader reader)
    {
        reader.Fields(0, nameof(SessionLeft));
        return new SessionLeft();
    }

    internal static void WritePublished(ref MessagePackWriter writer, LearnerProtocol.PolicyPublished published)
    {
        writer.WriteArrayHeader(3);
        writer.Write(published.Epoch);
        writer.Write(published.Version.Value);
        writer.Write(published.Hash);
    }

    internal static LearnerProtocol.PolicyPublished ReadPublished(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(LearnerProtocol.PolicyPublished));
        return new LearnerProtocol.PolicyPublished(reader.ReadInt64(), reader.ReadVersion(), reader.ReadText());
    }

    internal static void WriteHeld(ref MessagePackWriter writer, HeldPolicy held)
    {
        writer.WriteArrayHeader(3);
        writer.Write(held.Epoch);
        writer.Write(held.Version.Value);
        writer.Write(held.Hash);
    }

    internal static HeldPolicy ReadHeld(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(HeldPolicy));
        return new HeldPolicy(reader.ReadInt64(), reader.ReadVersion(), reader.ReadText());
    }

    private static void WriteCompletion(ref MessagePackWriter writer, Completion completion)
    {
        writer.WriteArrayHeader(4);
        writer.WriteTokens(completion.Tokens);
        writer.WriteFloats(completion.LogProbs);
        writer.WriteEnum(completion.Finish);
        writer.WriteList(completion.Switches, SettledGroupWire.WriteSwitch);
    }

    private static Completion ReadCompletion(ref MessagePackReader reader)
    {
        reader.Fields(4, nameof(Completion));
        return new Completion(reader.ReadTokens(), reader.ReadFloats(), reader.ReadEnum<FinishReason>()) { Switches = reader.ReadList(SettledGroupWire.ReadSwitch) };
    }

    private static void WriteEngine(ref MessagePackWriter writer, EngineFingerprint engine)
    {
        writer.WriteArrayHeader(5);
        writer.Write(engine.Processor);
        writer.Write(engine.Float32.Digest);
        writer.Write(engine.Float32.Fault);
        writer.Write(engine.Bfloat16.Digest);
        writer.Write(engine.Bfloat16.Fault);
    }

    private static EngineFingerprint ReadEngine(ref MessagePackReader reader)
    {
        reader.Fields(5, nameof(EngineFingerprint));
        return new EngineFingerprint(
            reader.ReadText(), new TypeFingerprint(reader.ReadText(), reader.ReadText()), new TypeFingerprint(reader.ReadText(), reader.ReadText()));
    }

    private static void WriteSetup(ref MessagePackWriter writer, WorkerSetup setup)
    {
        writer.WriteArrayHeader(13);
        writer.Write(setup.Run);
        writer.Write(setup.Seed);
        writer.Write(setup.ModelConfig);
        writer.Write(setup.Bfloat16);
        writer.WriteTokens(setup.StopTokens);
        writer.Write(setup.MaxLength);
        writer.Write(setup.GroupSize);
        writer.Write(setup.MaxNewTokens);
        writer.Write(setup.Temperature);
        writer.Write(setup.TopK);
        writer.Write(setup.TopP);
        writer.Write(setup.Staleness);
        writer.Write(setup.SwitchInFlight);
    }

    private static WorkerSetup ReadSetup(ref MessagePackReader reader)
    {
        reader.Fields(13, nameof(WorkerSetup));
        return new WorkerSetup(
            reader.ReadText(),
            reader.ReadInt64(),
            reader.ReadText(),
            reader.ReadBoolean(),
            reader.ReadTokens(),
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadDouble(),
            reader.ReadInt32(),
            reader.ReadDouble(),
            reader.ReadInt32(),
            reader.ReadBoolean());
    }

    internal static void WriteActor(ref MessagePackWriter writer, IActorRef actor) => writer.Write(Serialization.SerializedActorPath(actor));

    internal static IActorRef ReadActor(ref MessagePackReader reader, ExtendedActorSystem system) => system.Provider.ResolveActorRef(reader.ReadText());

    internal static void WriteRef(ref MessagePackWriter writer, object streamRef, ExtendedActorSystem system)
    {
        var serializer = (SerializerWithStringManifest)system.Serialization.FindSerializerFor(streamRef);
        writer.WriteArrayHeader(3);
        writer.Write(serializer.Identifier);
        writer.Write(serializer.Manifest(streamRef));
        writer.Write(serializer.ToBinary(streamRef));
    }

    internal static object ReadRef(ref MessagePackReader reader, ExtendedActorSystem system)
    {
        reader.Fields(3, "StreamRef");
        int serializer = reader.ReadInt32();
        string manifest = reader.ReadText();
        byte[] bytes = reader.ReadBytes()?.ToArray() ?? throw new SerializationException("a StreamRef is nil");
        return serializer == StreamRefSerializerId
            ? system.Serialization.Deserialize(bytes, serializer, manifest)
            : throw new SerializationException($"a StreamRef was written by serializer {serializer}");
    }

    /// <summary>Of Akka.Streams (its reference configuration): no other serializer can be asked for here.</summary>
    private const int StreamRefSerializerId = 30;
}
