using Ghpo.Learning;
using Ghpo.Rollout;
using Ghpo.Verification;
using MessagePack;

namespace Ghpo.Journal;

/// <summary>A settled group on disk: nearly all of the journal's bytes. A rollout token costs 4 for its log-probability and 1 to 5 for its id.</summary>
internal static class SettledGroupWire
{
    internal static void Write(ref MessagePackWriter writer, SettledGroup group)
    {
        writer.WriteArrayHeader(13);
        writer.WriteGroup(group.Group);
        writer.Write(group.Problem.Value);
        writer.WriteEnum(group.Settlement);
        writer.Write(group.Attempt);
        writer.Write(group.HintRatio);
        writer.Write(group.HintShortened);
        writer.WriteTokens(group.Prompt);
        writer.WriteTokens(group.UnhintedPrompt);
        writer.WriteList(group.Samples, WriteSample);
        writer.Write(group.ExtraTokens);
        writer.Write(group.Epoch);
        writer.Write(group.Version.Value);
    }

    internal static SettledGroup Read(ref MessagePackReader reader)
    {
        reader.Fields(13, nameof(SettledGroup));
        return new SettledGroup(
            reader.ReadGroup(),
            reader.ReadProblem(),
            reader.ReadEnum<Settlement>(),
            reader.ReadInt32(),
            reader.ReadDouble(),
            reader.ReadBoolean(),
            reader.ReadTokens(),
            reader.ReadTokens(),
            reader.ReadList(ReadSample),
            reader.ReadInt32(),
            reader.ReadInt64(),
            reader.ReadVersion());
    }

    private static void WriteSample(ref MessagePackWriter writer, TrainingSample sample)
    {
        // The score of a user's own reward is there only if it is not 0, or something follows; switches of the policy only if there were any.
        bool switched = !sample.Completion.Switches.IsEmpty;
        bool scored = sample.OwnScore != 0 || switched;
        writer.WriteArrayHeader(switched ? 7 : scored ? 6 : 5);
        writer.WriteTokens(sample.Completion.Tokens);
        writer.WriteFloats(sample.Completion.LogProbs);
        writer.WriteEnum(sample.Completion.Finish);
        writer.WriteEnum(sample.Verdict);
        writer.Write(sample.Format);
        if (scored)
        {
            writer.Write(sample.OwnScore);
        }

        if (switched)
        {
            writer.WriteList(sample.Completion.Switches, WriteSwitch);
        }
    }

    private static TrainingSample ReadSample(ref MessagePackReader reader)
    {
        int fields = reader.Fields(5, 7, nameof(TrainingSample));
        var sample = new TrainingSample(
            new Completion(reader.ReadTokens(), reader.ReadFloats(), reader.ReadEnum<FinishReason>()),
            reader.ReadEnum<Verdict>(),
            reader.ReadBoolean());
        sample = fields >= 6 ? sample with { OwnScore = reader.ReadDouble() } : sample;
        return fields == 7 ? sample with { Completion = sample.Completion with { Switches = reader.ReadList(ReadSwitch) } } : sample;
    }

    internal static void WriteSwitch(ref MessagePackWriter writer, PolicySwitch at)
    {
        writer.WriteArrayHeader(2);
        writer.Write(at.Token);
        writer.Write(at.Version.Value);
    }

    internal static PolicySwitch ReadSwitch(ref MessagePackReader reader)
    {
        reader.Fields(2, nameof(PolicySwitch));
        return new PolicySwitch(reader.ReadInt32(), reader.ReadVersion());
    }
}
