using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Verification;
using MessagePack;

namespace Ghpo.Journal;

/// <summary>A step's report on disk. The origin of its groups is its last field, and left out where it is not known.</summary>
internal static class StepReportWire
{
    internal static void Write(ref MessagePackWriter writer, StepReport report)
    {
        writer.WriteArrayHeader(report.Origin is null ? 24 : 25);
        writer.Write(report.Step);
        writer.Write(report.Version.Value);
        writer.Write(report.Epoch);
        writer.Write(report.Groups);
        writer.Write(report.Samples);
        writer.Write(report.MeanReward);
        writer.Write(report.Accuracy);
        writer.Write(report.FirstAttemptSolved);
        writer.WriteNullable(report.UnhintedAccuracy);
        writer.WriteNullable(report.HintedAccuracy);
        writer.Write(report.FormatShare);
        writer.WriteList(report.Settled, WriteSettledAt);
        writer.Write(report.Unsolved);
        writer.Write(report.NoSolution);
        writer.Write(report.Unjudged);
        writer.Write(report.HintsShortened);
        writer.WriteList(report.Verdicts, WriteVerdict);
        writer.Write(report.RolloutTokens);
        writer.Write(report.ExtraTokens);
        writer.Write(report.MeanCompletionTokens);
        writer.Write(report.TotalRolloutTokens);
        writer.Write(report.RolloutSeconds);
        writer.Write(report.StepSeconds);
        WriteMetrics(ref writer, report.Learning);
        if (report.Origin is { } origin)
        {
            WriteOrigin(ref writer, origin);
        }
    }

    internal static StepReport Read(ref MessagePackReader reader)
    {
        int fields = reader.Fields(24, 25, nameof(StepReport));
        return new StepReport(
            reader.ReadInt32(),
            reader.ReadVersion(),
            reader.ReadInt64(),
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadDouble(),
            reader.ReadDouble(),
            reader.ReadDouble(),
            reader.ReadNullableDouble(),
            reader.ReadNullableDouble(),
            reader.ReadDouble(),
            reader.ReadList(ReadSettledAt),
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadList(ReadVerdict),
            reader.ReadInt64(),
            reader.ReadInt64(),
            reader.ReadDouble(),
            reader.ReadInt64(),
            reader.ReadDouble(),
            reader.ReadDouble(),
            ReadMetrics(ref reader),
            fields == 25 ? ReadOrigin(ref reader) : null);
    }

    private static void WriteOrigin(ref MessagePackWriter writer, StepOrigin origin)
    {
        writer.WriteArrayHeader(4);
        writer.WriteList(origin.Levels, LearnerWire.WriteLevel);
        writer.Write(origin.MeanStaleness);
        writer.Write(origin.MostStaleness);
        if (origin.Workers is { } workers)
        {
            writer.Write(workers);
        }
        else
        {
            writer.WriteNil();
        }
    }

    private static StepOrigin ReadOrigin(ref MessagePackReader reader)
    {
        reader.Fields(4, nameof(StepOrigin));
        return new StepOrigin(
            reader.ReadList(LearnerWire.ReadLevel), reader.ReadDouble(), reader.ReadInt32(), reader.TryReadNil() ? null : reader.ReadInt32());
    }

    private static void WriteMetrics(ref MessagePackWriter writer, StepMetrics metrics)
    {
        writer.WriteArrayHeader(10);
        writer.Write(metrics.Loss);
        writer.Write(metrics.LearningRate);
        writer.Write(metrics.GradientNorm);
        writer.Write(metrics.Entropy);
        writer.Write(metrics.Kl);
        writer.Write(metrics.ClipFraction);
        writer.Write(metrics.ZeroAdvantageShare);
        writer.Write(metrics.TrainedTokens);
        writer.Write(metrics.ProcessedTokens);
        writer.Write(metrics.Seconds);
    }

    private static StepMetrics ReadMetrics(ref MessagePackReader reader)
    {
        reader.Fields(10, nameof(StepMetrics));
        return new StepMetrics(
            reader.ReadDouble(),
            reader.ReadDouble(),
            reader.ReadDouble(),
            reader.ReadDouble(),
            reader.ReadDouble(),
            reader.ReadDouble(),
            reader.ReadDouble(),
            reader.ReadInt64(),
            reader.ReadInt64(),
            reader.ReadDouble());
    }

    private static void WriteSettledAt(ref MessagePackWriter writer, SettledAt settled)
    {
        writer.WriteArrayHeader(2);
        writer.Write(settled.HintRatio);
        writer.Write(settled.Groups);
    }

    private static SettledAt ReadSettledAt(ref MessagePackReader reader)
    {
        reader.Fields(2, nameof(SettledAt));
        return new SettledAt(reader.ReadDouble(), reader.ReadInt32());
    }

    internal static void WriteVerdict(ref MessagePackWriter writer, VerdictCount verdict)
    {
        writer.WriteArrayHeader(2);
        writer.WriteEnum(verdict.Verdict);
        writer.Write(verdict.Samples);
    }

    internal static VerdictCount ReadVerdict(ref MessagePackReader reader)
    {
        reader.Fields(2, nameof(VerdictCount));
        return new VerdictCount(reader.ReadEnum<Verdict>(), reader.ReadInt32());
    }
}
