using System.Text.Json.Serialization;
using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Verification;
using Parquet;
using Parquet.Serialization;
using Parquet.Serialization.Attributes;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>Writes journalled rollouts as a table, a row an answer.</summary>
public static class RolloutExport
{
    /// <summary>Answers in a row group: enough to compress well, few enough to hold in memory.</summary>
    private const int RowGroup = 8192;

    /// <param name="tokenizer">Of the run's model.</param>
    /// <param name="from">No rollouts of earlier steps; null: from the beginning.</param>
    /// <param name="to">No rollouts of later steps; null: to the end.</param>
    /// <returns>Answers written, and groups left out because their tokens are pruned.</returns>
    public static async Task<(int Answers, int Pruned)> WriteAsync(
        JournalReader journal, ITokenizer tokenizer, RewardSettings rewards, int? from, int? to, Stream file)
    {
        int answers = 0;
        int pruned = 0;
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd, RowGroupSize = RowGroup };
        foreach (RolloutRow[] part in Rows().Chunk(RowGroup))
        {
            await ParquetSerializer.SerializeAsync(part, file, options).ConfigureAwait(false);
            answers += part.Length;
            options.Append = true;
        }

        if (answers == 0)
        {
            await ParquetSerializer.SerializeAsync(Array.Empty<RolloutRow>(), file, options).ConfigureAwait(false);
        }

        return (answers, pruned);

        IEnumerable<RolloutRow> Rows()
        {
            foreach (object fact in journal.Events(
                LearnerActor.JournalId, [.. GhpoEventSerializer.ManifestsOf(typeof(GroupSettled)), .. GhpoEventSerializer.ManifestsOf(typeof(GroupPruned))]))
            {
                int step = GroupFacts.Of(fact)!.Group.Step;
                if (step < from || step > to)
                {
                    continue;
                }

                if (fact is not GroupSettled settled)
                {
                    pruned++;
                    continue;
                }

                string prompt = tokenizer.Decode(settled.Group.Prompt, keepSpecial: true);
                for (int answer = 0; answer < settled.Group.Samples.Length; answer++)
                {
                    yield return RowOf(settled.Group, answer, prompt, tokenizer, rewards);
                }
            }
        }
    }

    private static RolloutRow RowOf(SettledGroup group, int answer, string prompt, ITokenizer tokenizer, RewardSettings rewards)
    {
        TrainingSample sample = group.Samples[answer];
        return new RolloutRow
        {
            Step = group.Group.Step,
            GroupIndex = group.Group.Index,
            Answer = answer,
            Problem = group.Problem.Value,
            Settlement = SettingsSchema.Kebab(group.Settlement.ToString()),
            Attempt = group.Attempt,
            HintRatio = group.HintRatio,
            PolicyVersion = group.Version.Value,
            Epoch = group.Epoch,
            Verdict = SettingsSchema.Kebab(sample.Verdict.ToString()),
            Format = sample.Format,
            Reward = sample.Verdict.Counts() ? Rewards.Of(sample, rewards) : null,
            Finish = SettingsSchema.Kebab(sample.Completion.Finish.ToString()),
            Prompt = prompt,
            Completion = tokenizer.Decode(sample.Completion.Tokens, keepSpecial: true),
            PromptTokens = [.. group.Prompt],
            CompletionTokens = [.. sample.Completion.Tokens],
            LogProbs = [.. sample.Completion.LogProbs],
        };
    }
}

/// <summary>One answer that a group settled with.</summary>
public sealed class RolloutRow
{
    [JsonPropertyName("step")]
    public int Step { get; set; }

    [JsonPropertyName("group_index")]
    public int GroupIndex { get; set; }

    [JsonPropertyName("answer")]
    public int Answer { get; set; }

    [JsonPropertyName("problem"), ParquetRequired]
    public string Problem { get; set; } = "";

    [JsonPropertyName("settlement"), ParquetRequired]
    public string Settlement { get; set; } = "";

    [JsonPropertyName("attempt")]
    public int Attempt { get; set; }

    /// <summary>ω, the leading share of the solution that the prompt shows.</summary>
    [JsonPropertyName("hint_ratio")]
    public double HintRatio { get; set; }

    [JsonPropertyName("policy_version")]
    public int PolicyVersion { get; set; }

    [JsonPropertyName("epoch")]
    public long Epoch { get; set; }

    [JsonPropertyName("verdict"), ParquetRequired]
    public string Verdict { get; set; } = "";

    [JsonPropertyName("format")]
    public bool Format { get; set; }

    /// <summary>Null for an answer that takes no part in advantages.</summary>
    [JsonPropertyName("reward")]
    public double? Reward { get; set; }

    [JsonPropertyName("finish"), ParquetRequired]
    public string Finish { get; set; } = "";

    [JsonPropertyName("prompt"), ParquetRequired]
    public string Prompt { get; set; } = "";

    [JsonPropertyName("completion"), ParquetRequired]
    public string Completion { get; set; } = "";

    [JsonPropertyName("prompt_tokens"), ParquetRequired, ParquetListElementRequired]
    public List<int> PromptTokens { get; set; } = [];

    [JsonPropertyName("completion_tokens"), ParquetRequired, ParquetListElementRequired]
    public List<int> CompletionTokens { get; set; } = [];

    /// <summary>Of each completion token as the sampler saw it, in nats.</summary>
    [JsonPropertyName("log_probs"), ParquetRequired, ParquetListElementRequired]
    public List<float> LogProbs { get; set; } = [];
}
