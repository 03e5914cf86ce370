using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Journal;
using Ghpo.Learning;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Bench.Chaos;

/// <summary>
/// What two runs must have in common bit for bit if only one of them was interrupted: weights after every step, the files of the last checkpoint
/// (weights, optimizer state), curriculum, hint schedule, settled groups, and metrics. Epochs, times, and who sampled what differ.
/// </summary>
internal static class RunComparison
{
    private static readonly string[] Timed = ["epoch", "rollout_seconds", "step_seconds", "seconds", "workers"];

    /// <returns>What differs, one sentence each; empty where nothing does.</returns>
    public static ImmutableArray<string> Differences(string expected, string actual)
    {
        var differences = ImmutableArray.CreateBuilder<string>();
        Require("hashes of the weights", Hashes(expected).SequenceEqual(Hashes(actual)));
        Require("settled groups", Groups(expected).SequenceEqual(Groups(actual)));
        Require("curriculum", Curriculum(expected) == Curriculum(actual));
        Require("hint schedule", Hints(expected) == Hints(actual));
        Require("metrics", Metrics(expected).SequenceEqual(Metrics(actual)));
        string last = Path.GetFileName(Directory.GetDirectories(Path.Combine(expected, "checkpoints")).Order(StringComparer.Ordinal).Last());
        string weights = File.Exists(Path.Combine(expected, "checkpoints", last, "model.safetensors")) ? "model.safetensors" : "adapter_model.safetensors";
        foreach (string file in new[] { $"checkpoints/{last}/{weights}", $"checkpoints/{last}/optimizer.safetensors", $"checkpoints/{last}/state.json", "model/model.safetensors" })
        {
            Require(file, File.Exists(Path.Combine(actual, file)) && File.ReadAllBytes(Path.Combine(expected, file)).SequenceEqual(File.ReadAllBytes(Path.Combine(actual, file))));
        }

        return differences.ToImmutable();

        void Require(string what, bool same)
        {
            if (!same)
            {
                differences.Add($"{what}: not the same in {actual} as in {expected}");
            }
        }
    }

    /// <summary>Weights must have moved, or equal hashes would say nothing.</summary>
    public static int DifferentPolicies(string folder) => Hashes(folder).Distinct().Count();

    private static IEnumerable<object> Events(string folder, string actor) => new JournalReader(Path.Combine(folder, "journal.db")).Events(actor);

    private static string[] Hashes(string folder) =>
        [.. Events(folder, LearnerActor.JournalId).OfType<StepCommitted>().Select(committed => committed.PolicyHash)];

    private static string[] Groups(string folder)
    {
        var serializer = new GhpoEventSerializer(null);
        return
        [
            .. Events(folder, LearnerActor.JournalId).OfType<GroupSettled>().OrderBy(settled => settled.Group.Group)
                .Select(settled => Convert.ToHexString(serializer.ToBinary(settled with { Group = settled.Group with { Epoch = 0 } }))),
        ];
    }

    private static string Curriculum(string folder)
    {
        CurriculumState state = CurriculumState.Empty;
        foreach (object fact in Events(folder, CurriculumActor.JournalId))
        {
            state = fact is StepPlanned planned ? state.Apply(planned) : state.Apply((OutcomeRecorded)fact);
        }

        return Convert.ToHexString(new GhpoEventSerializer(null).ToBinary(state));
    }

    private static string Hints(string folder)
    {
        HintState state = HintState.Empty(staleness: 0);
        foreach (object fact in Events(folder, HintScheduleActor.JournalId))
        {
            state = fact is HintRaised raised ? state.Apply(raised) : state.Apply((GroupReleased)fact);
        }

        return Convert.ToHexString(new GhpoEventSerializer(null).ToBinary(state));
    }

    /// <summary>The last line of each step, without what is measured in time.</summary>
    private static IEnumerable<string> Metrics(string folder) => File.ReadLines(Path.Combine(folder, "metrics", "steps.jsonl"))
        .Where(line => line.EndsWith('}'))
        .Select(line => JsonNode.Parse(line)!.AsObject())
        .GroupBy(step => (int)step["step"]!)
        .OrderBy(step => step.Key)
        .Select(step => Untimed(step.Last()).ToJsonString());

    private static JsonObject Untimed(JsonObject metrics)
    {
        foreach (string name in Timed)
        {
            metrics.Remove(name);
        }

        foreach (KeyValuePair<string, JsonNode?> inner in metrics.ToArray())
        {
            if (inner.Value is JsonObject section)
            {
                Untimed(section);
            }
        }

        return metrics;
    }
}
