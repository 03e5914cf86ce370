using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Learning;
using Ghpo.Problems;
using MessagePack;
using static Ghpo.Curriculum.CurriculumProtocol;

namespace Ghpo.Journal;

/// <summary>The curriculum's events and snapshot on disk.</summary>
internal static class CurriculumWire
{
    internal static void WritePlanned(ref MessagePackWriter writer, StepPlanned planned)
    {
        writer.WriteArrayHeader(2);
        writer.Write(planned.Step);
        writer.WriteList(planned.Groups, WritePlannedGroup);
    }

    internal static StepPlanned ReadPlanned(ref MessagePackReader reader)
    {
        reader.Fields(2, nameof(StepPlanned));
        return new StepPlanned(reader.ReadInt32(), reader.ReadList(ReadPlannedGroup));
    }

    internal static void WriteOutcome(ref MessagePackWriter writer, OutcomeRecorded outcome)
    {
        writer.WriteArrayHeader(7);
        writer.WriteGroup(outcome.Group);
        writer.Write(outcome.Problem.Value);
        writer.WriteEnum(outcome.Settlement);
        writer.Write(outcome.HintRatio);
        writer.Write(outcome.Correct);
        writer.Write(outcome.Judged);
    }

    internal static OutcomeRecorded ReadOutcome(ref MessagePackReader reader)
    {
        reader.Fields(7, nameof(OutcomeRecorded));
        return new OutcomeRecorded(
            reader.ReadGroup(),
            reader.ReadProblem(),
            reader.ReadEnum<Settlement>(),
            reader.ReadDouble(),
            reader.ReadInt32(),
            reader.ReadInt32());
    }

    internal static void WriteState(ref MessagePackWriter writer, CurriculumState state)
    {
        writer.WriteArrayHeader(5);
        writer.Write(state.NextStep);
        writer.Write(state.Drawn);
        writer.Write(state.ClosedThrough);
        writer.WriteList(state.Open, WriteOpen);

        // Hash order is no order: sorted, equal states have equal bytes.
        writer.WriteList([.. state.Problems.OrderBy(problem => problem.Key.Value, StringComparer.Ordinal)], WriteProblem);
    }

    internal static CurriculumState ReadState(ref MessagePackReader reader)
    {
        reader.Fields(5, nameof(CurriculumState));
        return new CurriculumState(
            reader.ReadInt32(),
            reader.ReadInt64(),
            reader.ReadInt32(),
            reader.ReadList(ReadOpen).ToImmutableSortedDictionary(),
            reader.ReadList(ReadProblem).ToImmutableDictionary());
    }

    private static void WritePlannedGroup(ref MessagePackWriter writer, PlannedGroup group)
    {
        writer.WriteArrayHeader(3);
        writer.WriteGroup(group.Group);
        writer.Write(group.Problem.Value);
    }

    private static PlannedGroup ReadPlannedGroup(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(PlannedGroup));
        return new PlannedGroup(reader.ReadGroup(), reader.ReadProblem());
    }

    private static void WriteOpen(ref MessagePackWriter writer, KeyValuePair<int, PlannedStep> open)
    {
        writer.WriteArrayHeader(3);
        writer.Write(open.Key);
        writer.WriteList(open.Value.Groups, WritePlannedGroup);
        writer.WriteTokens([.. open.Value.Outcomes]);
    }

    private static KeyValuePair<int, PlannedStep> ReadOpen(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(PlannedStep));
        return new(reader.ReadInt32(), new PlannedStep(reader.ReadList(ReadPlannedGroup), [.. reader.ReadTokens()]));
    }

    private static void WriteProblem(ref MessagePackWriter writer, KeyValuePair<ProblemId, ProblemStatistics> problem)
    {
        writer.WriteArrayHeader(8);
        writer.Write(problem.Key.Value);
        writer.Write(problem.Value.Seen);
        writer.WriteGroup(problem.Value.Last);
        writer.WriteEnum(problem.Value.LastSettlement);
        writer.Write(problem.Value.LastHintRatio);
        writer.Write(problem.Value.Correct);
        writer.Write(problem.Value.Judged);
    }

    private static KeyValuePair<ProblemId, ProblemStatistics> ReadProblem(ref MessagePackReader reader)
    {
        reader.Fields(8, nameof(ProblemStatistics));
        return new(
            reader.ReadProblem(),
            new ProblemStatistics(
                reader.ReadInt32(),
                reader.ReadGroup(),
                reader.ReadEnum<Settlement>(),
                reader.ReadDouble(),
                reader.ReadInt64(),
                reader.ReadInt64()));
    }
}
