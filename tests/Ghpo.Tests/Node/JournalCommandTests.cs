using System.Text.Json;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Commands;
using Parquet.Serialization;
using ParquetSharp;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary>The journal's commands as a user types them, on a run of the command line.</summary>
public sealed class JournalCommandTests : IDisposable
{
    private readonly TinyRun _tiny = new();

    private string Folder => Path.Combine(_tiny.Runs, "tiny");

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task A_run_can_be_shown_looked_back_at_traced_checked_and_folded_again()
    {
        await Train();

        string[] lines = (await Succeed("journal", "show", Folder)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches("^ +order +written", lines[0]);
        Assert.Matches(@"^ +1 .+ epoch +– +epoch 1 begins$", lines[1]);
        Assert.Equal(2, lines.Count(line => line.Contains("  committed ", StringComparison.Ordinal)));

        string[] settled = (await Succeed("journal", "show", Folder, "--kind", "settled", "--from", "1", "--to", "1", "--json"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, settled.Length);
        JsonElement first = JsonDocument.Parse(settled[0]).RootElement;
        Assert.Equal("gs-v1", first.GetProperty("manifest").GetString());
        Assert.StartsWith("1/", first.GetProperty("event").GetProperty("group").GetString(), StringComparison.Ordinal);
        string problem = first.GetProperty("event").GetProperty("problem").GetString()!;
        Assert.All(
            (await Succeed("journal", "show", Folder, "--problem", problem)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1),
            line => Assert.Contains(problem, line, StringComparison.Ordinal));

        Assert.Contains("tiny after step 0: v1", await Succeed("journal", "at", Folder, "--step", "0"), StringComparison.Ordinal);
        JsonElement now = JsonDocument.Parse(await Succeed("journal", "at", Folder, "--json")).RootElement;
        Assert.Equal((2, 8, 0), (now.GetProperty("version").GetInt32(), now.GetProperty("drawn").GetInt32(), now.GetProperty("open_groups").GetArrayLength()));

        Assert.Contains("tiny, step 1: v1 (", await Succeed("journal", "lineage", Folder, "--step", "1"), StringComparison.Ordinal);
        Assert.Contains(problem, await Succeed("journal", "lineage", Folder, "--problem", problem), StringComparison.Ordinal);
        JsonElement lineage = JsonDocument.Parse(await Succeed("journal", "lineage", Folder, "--step", "0", "--json")).RootElement;
        Assert.Equal(4, lineage.GetProperty("groups").GetArrayLength());

        Assert.Contains("tiny: sound. Nothing is lost, trained twice or skipped.", await Succeed("journal", "check", Folder), StringComparison.Ordinal);
        Assert.Contains("tiny: 2 steps folded from the base model to v2, 1 checkpoints computed again", await Succeed("replay", Folder, "--verify"), StringComparison.Ordinal);
        string into = Path.Combine(_tiny.Root, "weights");
        await Succeed("replay", Folder, "--out", into);
        Assert.Equal(
            await File.ReadAllBytesAsync(Path.Combine(Folder, "model", "model.safetensors"), TestContext.Current.CancellationToken),
            await File.ReadAllBytesAsync(Path.Combine(into, "model.safetensors"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Exported_rollouts_are_those_of_the_journal_token_for_token()
    {
        await Train();
        string file = Path.Combine(_tiny.Root, "rollouts.parquet");

        Assert.Contains("16 answers", await Succeed("journal", "export", Folder, "--parquet", file), StringComparison.Ordinal);

        RolloutRow[] rows = [.. (await ParquetSerializer.DeserializeAsync<RolloutRow>(file, cancellationToken: TestContext.Current.CancellationToken)).Data];
        SettledGroup[] groups = [.. new JournalReader(Path.Combine(Folder, "journal.db")).Events(LearnerActor.JournalId)
            .OfType<LearnerProtocol.GroupSettled>().Select(settled => settled.Group)];
        Assert.Equal(groups.SelectMany(group => group.Samples).Select(sample => sample.Completion.Tokens.AsEnumerable()), rows.Select(row => row.CompletionTokens.AsEnumerable()));
        Assert.Equal(groups.SelectMany(group => group.Samples).Select(sample => sample.Completion.LogProbs.AsEnumerable()), rows.Select(row => row.LogProbs.AsEnumerable()));
        Assert.Equal(groups.SelectMany(group => group.Samples.Select(_ => group.Prompt.AsEnumerable())), rows.Select(row => row.PromptTokens.AsEnumerable()));
        Assert.Equal(groups.SelectMany(group => group.Samples.Select((_, i) => (group.Group.Step, group.Group.Index, i))), rows.Select(row => (row.Step, row.GroupIndex, row.Answer)));
        Assert.All(rows, row => Assert.StartsWith("<|problem|>", row.Prompt, StringComparison.Ordinal));

        RequireReadElsewhere(file, rows);

        string later = Path.Combine(_tiny.Root, "later.parquet");
        Assert.Contains("8 answers", await Succeed("journal", "export", Folder, "--parquet", later, "--from", "1"), StringComparison.Ordinal);
        string none = Path.Combine(_tiny.Root, "none.parquet");
        await Succeed("journal", "export", Folder, "--parquet", none, "--from", "7");
        Assert.Empty((await ParquetSerializer.DeserializeAsync<RolloutRow>(none, cancellationToken: TestContext.Current.CancellationToken)).Data);
        Assert.Contains("exists; name a file", (await TinyRun.Run("journal", "export", Folder, "--parquet", none)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_is_printed_and_makes_check_and_replay_fail()
    {
        await Train();
        string weights = Path.Combine(Folder, "checkpoints", "step-000002", "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^1]);

        (int check, string said, _) = await TinyRun.Run("journal", "check", Folder);
        Assert.Equal(ExitCodes.Failure, check);
        Assert.Contains($"fault: {weights} (", said, StringComparison.Ordinal);
        Assert.Contains("tiny: 1 fault.", said, StringComparison.Ordinal);
        Assert.False(JsonDocument.Parse((await TinyRun.Run("journal", "check", Folder, "--json")).Output).RootElement.GetProperty("sound").GetBoolean());
        Assert.Equal(ExitCodes.Failure, (await TinyRun.Run("replay", Folder, "--verify")).ExitCode);
    }

    [Fact]
    public async Task What_is_asked_wrongly_is_answered_in_a_sentence()
    {
        await Train();
        foreach ((string said, string[] arguments) in new (string, string[])[]
        {
            ("committed are steps 0 to 1", ["journal", "at", Folder, "--step", "7"]),
            ("committed are steps 0 to 1", ["replay", Folder, "--to", "7"]),
            ("there is no such kind of event; there are planned, hint", ["journal", "show", Folder, "--kind", "settle"]),
            ("no step has used problem nobody", ["journal", "lineage", Folder, "--problem", "nobody"]),
            ("needs either --step or --problem", ["journal", "lineage", Folder]),
            ("cannot be written", ["journal", "export", Folder, "--parquet", Path.Combine(_tiny.Root, "nowhere", "x.parquet")]),
            ("'../up' cannot name a run", ["fork", Folder, "--at-step", "0", "--run", "../up"]),
            ("exists; name a folder that does not", ["replay", Folder, "--out", Folder]),
        })
        {
            (int exitCode, _, string error) = await TinyRun.Run(arguments);
            Assert.Equal(ExitCodes.UserError, exitCode);
            Assert.Contains(said, error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        }
    }

    /// <summary>Apache's own reader finds the same columns, types and values as ours does.</summary>
    private static void RequireReadElsewhere(string file, RolloutRow[] rows)
    {
        using var reader = new ParquetFileReader(file);
        using RowGroupReader part = reader.RowGroup(0);
        Assert.Equal((1, rows.Length), (reader.FileMetaData.NumRowGroups, (int)part.MetaData.NumRows));
        Assert.Equal(
            ["step", "group_index", "answer", "problem", "settlement", "attempt", "hint_ratio", "policy_version", "epoch", "verdict", "format", "reward", "finish",
                "prompt", "completion", "prompt_tokens", "completion_tokens", "log_probs"],
            Enumerable.Range(0, reader.FileMetaData.Schema.NumColumns).Select(column => reader.FileMetaData.Schema.Column(column).Path.ToDotVector()[0]));
        Assert.Equal(rows.Select(row => row.Step), Read<int>(0));
        Assert.Equal(rows.Select(row => row.Problem), Read<string>(3));
        Assert.Equal(rows.Select(row => row.HintRatio), Read<double>(6));
        Assert.Equal(rows.Select(row => row.Epoch), Read<long>(8));
        Assert.Equal(rows.Select(row => row.Format), Read<bool>(10));
        Assert.Equal(rows.Select(row => row.Reward), Read<double?>(11));
        Assert.Equal(rows.Select(row => row.Completion), Read<string>(14));
        Assert.Equal(rows.Select(row => row.PromptTokens.ToArray()), Read<int[]>(15));
        Assert.Equal(rows.Select(row => row.CompletionTokens.ToArray()), Read<int[]>(16));
        Assert.Equal(rows.Select(row => row.LogProbs.ToArray()), Read<float[]>(17));

        T[] Read<T>(int column)
        {
            using ColumnReader values = part.Column(column);
            using LogicalColumnReader<T> typed = values.LogicalReader<T>();
            return typed.ReadAll(rows.Length);
        }
    }

    private async Task Train() => Assert.Equal(
        ExitCodes.Success, (await _tiny.Train("--set", "run.steps=2", "--set", "evaluation.enabled=false")).ExitCode);

    private static async Task<string> Succeed(params string[] arguments)
    {
        (int exitCode, string output, string error) = await TinyRun.Run(arguments);
        Assert.True(exitCode == ExitCodes.Success, $"{string.Join(' ', arguments)}: {error}{output}");
        return output;
    }
}
