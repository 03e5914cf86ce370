using Ghpo.Learning;
using MessagePack;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>A settled group without its tokens on disk.</summary>
internal static class GroupFactsWire
{
    internal static void WritePruned(ref MessagePackWriter writer, GroupPruned pruned)
    {
        GroupFacts facts = pruned.Facts;
        writer.WriteArrayHeader(13);
        writer.WriteGroup(facts.Group);
        writer.Write(facts.Problem.Value);
        writer.WriteEnum(facts.Settlement);
        writer.Write(facts.Attempt);
        writer.Write(facts.HintRatio);
        writer.Write(facts.HintShortened);
        writer.WriteList(facts.Verdicts, StepReportWire.WriteVerdict);
        writer.Write(facts.PromptTokens);
        writer.Write(facts.CompletionTokens);
        writer.Write(facts.ExtraTokens);
        writer.Write(facts.Epoch);
        writer.Write(facts.Version.Value);
    }

    internal static GroupPruned ReadPruned(ref MessagePackReader reader)
    {
        reader.Fields(13, nameof(GroupPruned));
        return new GroupPruned(new GroupFacts(
            reader.ReadGroup(),
            reader.ReadProblem(),
            reader.ReadEnum<Settlement>(),
            reader.ReadInt32(),
            reader.ReadDouble(),
            reader.ReadBoolean(),
            reader.ReadList(StepReportWire.ReadVerdict),
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadInt32(),
            reader.ReadInt64(),
            reader.ReadVersion()));
    }
}
