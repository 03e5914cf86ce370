using System.Collections.Immutable;
using Ghpo.Inspection;
using Ghpo.Learning;
using MessagePack;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Learning.SteeringProtocol;

namespace Ghpo.Journal;

/// <summary>The learner's events and snapshot on disk.</summary>
internal static class LearnerWire
{
    internal static void WriteEpoch(ref MessagePackWriter writer, EpochStarted started)
    {
        writer.WriteArrayHeader(2);
        writer.Write(started.Epoch);
        writer.WriteTime(started.At);
    }

    internal static EpochStarted ReadEpoch(ref MessagePackReader reader)
    {
        reader.Fields(2, nameof(EpochStarted));
        return new EpochStarted(reader.ReadInt64(), reader.ReadTime());
    }

    internal static void WriteSettled(ref MessagePackWriter writer, GroupSettled settled) => SettledGroupWire.Write(ref writer, settled.Group);

    internal static GroupSettled ReadSettled(ref MessagePackReader reader) => new(SettledGroupWire.Read(ref reader));

    internal static void WriteCommitted(ref MessagePackWriter writer, StepCommitted committed)
    {
        writer.WriteArrayHeader(4);
        writer.Write(committed.Step);
        writer.Write(committed.Version.Value);
        writer.Write(committed.PolicyHash);
        StepReportWire.Write(ref writer, committed.Report);
    }

    internal static StepCommitted ReadCommitted(ref MessagePackReader reader)
    {
        reader.Fields(4, nameof(StepCommitted));
        return new StepCommitted(reader.ReadInt32(), reader.ReadVersion(), reader.ReadText(), StepReportWire.Read(ref reader));
    }

    internal static void WriteCheckpoint(ref MessagePackWriter writer, CheckpointTaken taken)
    {
        writer.WriteArrayHeader(3);
        writer.Write(taken.NextStep);
        writer.Write(taken.Folder);
        writer.Write(taken.Hash);
    }

    internal static CheckpointTaken ReadCheckpoint(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(CheckpointTaken));
        return new CheckpointTaken(reader.ReadInt32(), reader.ReadText(), reader.ReadText());
    }

    internal static void WriteEvaluated(ref MessagePackWriter writer, PolicyEvaluated evaluated) => WriteResult(ref writer, evaluated.Result);

    internal static PolicyEvaluated ReadEvaluated(ref MessagePackReader reader) => new(ReadResult(ref reader));

    internal static void WriteForked(ref MessagePackWriter writer, RunForked forked)
    {
        writer.WriteArrayHeader(6);
        writer.Write(forked.Parent);
        writer.Write(forked.ParentFolder);
        writer.Write(forked.Step);
        writer.Write(forked.PolicyHash);
        writer.WriteList(forked.Changes, (ref writer, change) => writer.Write(change));
        writer.WriteTime(forked.At);
    }

    internal static RunForked ReadForked(ref MessagePackReader reader)
    {
        reader.Fields(6, nameof(RunForked));
        return new RunForked(
            reader.ReadText(),
            reader.ReadText(),
            reader.ReadInt32(),
            reader.ReadText(),
            reader.ReadList((ref reader) => reader.ReadText()),
            reader.ReadTime());
    }

    internal static void WriteControl(ref MessagePackWriter writer, ControlApplied applied)
    {
        writer.WriteArrayHeader(5);
        writer.Write(applied.FromStep);
        writer.Write(applied.Key);
        writer.Write(applied.Value);
        writer.Write(applied.By);
        writer.WriteTime(applied.At);
    }

    internal static ControlApplied ReadControl(ref MessagePackReader reader)
    {
        reader.Fields(5, nameof(ControlApplied));
        return new ControlApplied(
            reader.ReadInt32(), reader.ReadText(), reader.ReadText(), reader.ReadText(), reader.ReadTime());
    }

    internal static void WriteSteered(ref MessagePackWriter writer, RunSteered steered)
    {
        writer.WriteArrayHeader(4);
        writer.WriteEnum(steered.Order);
        writer.Write(steered.Step);
        writer.Write(steered.By);
        writer.WriteTime(steered.At);
    }

    internal static RunSteered ReadSteered(ref MessagePackReader reader)
    {
        reader.Fields(4, nameof(RunSteered));
        return new RunSteered(reader.ReadEnum<RunOrder>(), reader.ReadInt32(), reader.ReadText(), reader.ReadTime());
    }

    internal static void WriteMemberSteered(ref MessagePackWriter writer, MemberSteered steered)
    {
        writer.WriteArrayHeader(5);
        writer.WriteEnum(steered.Order);
        writer.Write(steered.Member);
        writer.Write(steered.Step);
        writer.Write(steered.By);
        writer.WriteTime(steered.At);
    }

    internal static MemberSteered ReadMemberSteered(ref MessagePackReader reader)
    {
        reader.Fields(5, nameof(MemberSteered));
        return new MemberSteered(
            reader.ReadEnum<MemberOrder>(), reader.ReadText(), reader.ReadInt32(), reader.ReadText(), reader.ReadTime());
    }

    internal static void WriteState(ref MessagePackWriter writer, LearnerState state)
    {
        writer.WriteArrayHeader(9);
        writer.Write(state.Epoch);
        writer.Write(state.NextStep);
        writer.Write(state.TotalRolloutTokens);
        writer.WriteList([.. state.Settled.Values.SelectMany(step => step.Values)], SettledGroupWire.Write);
        writer.WriteList(state.CommittedHashes, WriteHash);
        writer.WriteList(state.Checkpoints, WriteCheckpoint);
        writer.WriteList(state.Evaluations, WriteResult);
        writer.WriteList(state.Controls, WriteControl);
        if (state.Pause is { } pause)
        {
            WriteSteered(ref writer, pause);
        }
        else
        {
            writer.WriteNil();
        }
    }

    internal static LearnerState ReadState(ref MessagePackReader reader)
    {
        reader.Fields(9, nameof(LearnerState));
        return ReadBeforeControls(ref reader) with
        {
            Controls = [.. reader.ReadList(ReadControl)],
            Pause = reader.TryReadNil() ? null : ReadSteered(ref reader),
        };
    }

    /// <summary>ls-v2: before a run could be paused.</summary>
    internal static LearnerState ReadStateWithoutPause(ref MessagePackReader reader)
    {
        reader.Fields(8, nameof(LearnerState));
        return ReadBeforeControls(ref reader) with { Controls = [.. reader.ReadList(ReadControl)] };
    }

    /// <summary>ls-v1: before there were controls.</summary>
    internal static LearnerState ReadStateWithoutControls(ref MessagePackReader reader)
    {
        reader.Fields(7, nameof(LearnerState));
        return ReadBeforeControls(ref reader);
    }

    private static LearnerState ReadBeforeControls(ref MessagePackReader reader) =>
        new(
            reader.ReadInt64(),
            reader.ReadInt32(),
            reader.ReadInt64(),
            reader.ReadList(SettledGroupWire.Read)
                .GroupBy(group => group.Group.Step)
                .ToImmutableSortedDictionary(step => step.Key, step => step.ToImmutableSortedDictionary(group => group.Group.Index, group => group)),
            reader.ReadList(ReadHash).ToImmutableSortedDictionary(),
            [.. reader.ReadList(ReadCheckpoint)],
            [.. reader.ReadList(ReadResult)],
            []);

    private static void WriteHash(ref MessagePackWriter writer, KeyValuePair<int, string> hash)
    {
        writer.WriteArrayHeader(2);
        writer.Write(hash.Key);
        writer.Write(hash.Value);
    }

    private static KeyValuePair<int, string> ReadHash(ref MessagePackReader reader)
    {
        reader.Fields(2, nameof(LearnerState.CommittedHashes));
        return new(reader.ReadInt32(), reader.ReadText());
    }

    private static void WriteResult(ref MessagePackWriter writer, EvaluationResult result)
    {
        writer.WriteArrayHeader(2);
        writer.Write(result.Version.Value);
        writer.WriteList(result.Levels, WriteLevel);
    }

    private static EvaluationResult ReadResult(ref MessagePackReader reader)
    {
        reader.Fields(2, nameof(EvaluationResult));
        return new EvaluationResult(reader.ReadVersion(), reader.ReadList(ReadLevel));
    }

    internal static void WriteLevel(ref MessagePackWriter writer, LevelAccuracy level)
    {
        writer.WriteArrayHeader(3);
        writer.Write(level.Level);
        writer.Write(level.Problems);
        writer.Write(level.Accuracy);
    }

    internal static LevelAccuracy ReadLevel(ref MessagePackReader reader)
    {
        reader.Fields(3, nameof(LevelAccuracy));
        return new LevelAccuracy(reader.ReadText(), reader.ReadInt32(), reader.ReadDouble());
    }
}
