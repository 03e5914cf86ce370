using System.Collections.Immutable;
using Ghpo.Hints;
using Ghpo.Problems;
using MessagePack;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Journal;

/// <summary>The hint schedule's events and snapshot on disk.</summary>
internal static class HintWire
{
    internal static void WriteRaised(ref MessagePackWriter writer, HintRaised raised)
    {
        writer.WriteArrayHeader(6);
        writer.WriteGroup(raised.Group);
        writer.Write(raised.Problem.Value);
        writer.Write(raised.Attempt);
        writer.Write(raised.HintRatio);
        writer.Write(raised.TokensSpent);
    }

    internal static HintRaised ReadRaised(ref MessagePackReader reader)
    {
        reader.Fields(6, nameof(HintRaised));
        return new HintRaised(reader.ReadGroup(), reader.ReadProblem(), reader.ReadInt32(), reader.ReadDouble(), reader.ReadInt32());
    }

    internal static void WriteReleased(ref MessagePackWriter writer, GroupReleased released)
    {
        writer.WriteArrayHeader(5);
        writer.WriteGroup(released.Group);
        writer.Write(released.Problem.Value);
        writer.Write(released.HintRatio);
        writer.Write(released.Solved);
    }

    internal static GroupReleased ReadReleased(ref MessagePackReader reader)
    {
        reader.Fields(5, nameof(GroupReleased));
        return new GroupReleased(reader.ReadGroup(), reader.ReadProblem(), reader.ReadDouble(), reader.ReadBoolean());
    }

    internal static void WriteState(ref MessagePackWriter writer, HintState state)
    {
        writer.WriteArrayHeader(5);
        writer.Write(state.Staleness);
        writer.Write(state.NewestStep);
        writer.WriteList([.. state.Open.Values], WriteAttempt);
        writer.WriteList([.. state.Released.Values], WriteAttempt);
        writer.WriteList([.. state.Memory.OrderBy(memory => memory.Key.Value, StringComparer.Ordinal)], WriteMemory);
    }

    internal static HintState ReadState(ref MessagePackReader reader)
    {
        reader.Fields(5, nameof(HintState));
        return new HintState(
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadList(ReadAttempt).ToImmutableSortedDictionary(attempt => attempt.Group, attempt => attempt),
            reader.ReadList(ReadAttempt).ToImmutableSortedDictionary(attempt => attempt.Group, attempt => attempt),
            reader.ReadList(ReadMemory).ToImmutableDictionary());
    }

    private static void WriteAttempt(ref MessagePackWriter writer, GroupAttempt attempt)
    {
        writer.WriteArrayHeader(6);
        writer.WriteGroup(attempt.Group);
        writer.Write(attempt.Problem.Value);
        writer.Write(attempt.Attempt);
        writer.Write(attempt.HintRatio);
        writer.Write(attempt.TokensSpent);
    }

    private static GroupAttempt ReadAttempt(ref MessagePackReader reader)
    {
        reader.Fields(6, nameof(GroupAttempt));
        return new GroupAttempt(reader.ReadGroup(), reader.ReadProblem(), reader.ReadInt32(), reader.ReadDouble(), reader.ReadInt32());
    }

    private static void WriteMemory(ref MessagePackWriter writer, KeyValuePair<ProblemId, ProblemMemory> memory)
    {
        writer.WriteArrayHeader(3);
        writer.Write(memory.Key.Value);
        WriteSolved(ref writer, memory.Value.Newest);
        if (memory.Value.Earlier is { } earlier)
        {
            WriteSolved(ref writer, earlier);
        }
        else
        {
            writer.WriteNil();
        }
    }

    private static KeyValuePair<ProblemId, ProblemMemory> ReadMemory(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(ProblemMemory));
        return new(
            reader.ReadProblem(),
            new ProblemMemory(ReadSolved(ref reader), reader.TryReadNil() ? null : ReadSolved(ref reader)));
    }

    private static void WriteSolved(ref MessagePackWriter writer, SolvedAt solved)
    {
        writer.WriteArrayHeader(3);
        writer.WriteGroup(solved.Group);
        writer.Write(solved.HintRatio);
    }

    private static SolvedAt ReadSolved(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(SolvedAt));
        return new SolvedAt(reader.ReadGroup(), reader.ReadDouble());
    }
}
