using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ghpo.Bench.Chaos;
using Ghpo.Tests.Node;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>What a run of real processes waits for is stopped from outside: a verifier's process, the learner's, the database.</summary>
public sealed class FrozenProcessTests
{
    [Fact]
    public async Task A_frozen_verifier_node_is_named_until_the_learner_judges_for_it_and_a_node_says_how_long_its_learner_is_silent()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals.");
        string port = LiveRun.FreePort().ToString(CultureInfo.InvariantCulture);
        using var run = new LiveRun("--cluster", "--set", $"cluster.port={port}", "--set", "verification.on-nodes=true", "--set", "rollout.max-new-tokens=16");
        using GhpoProcess verifier = GhpoProcess.Start(
            "node", "--roles", "verifier", "--join", $"127.0.0.1:{port}", "--once", "--set", "cluster.name=v1", "--set", "inspection.port=0");
        await run.Begin(steps: 2);
        await run.Until(async () => Regex.IsMatch(
            (await run.Pbm("verifier", "list")).Output, @"^v1 \| akka\.tcp://ghpo@127\.0\.0\.1:\d+ \| \d of \d answers in hand.* \| [1-9]\d* judged\nCount: 1 verifier nodes; \d+ answers pending\n"));

        await verifier.SignalAsync("STOP");
        JsonElement why = default;
        await run.Until(async () => (why = await run.Fact("why")).GetProperty("culprit").GetString() == "v1");
        Assert.Matches(
            @"^learner waits for \d+ of 4 groups of step \d+; verifier v1 has kept \d answers?, the oldest since \d+ s \(verification holds \d+\)$", why.GetProperty("sentence").GetString());
        int frozen = run.Steps();
        await run.Until(() => Task.FromResult(run.Steps() > frozen + 2));
        Assert.Matches("Count: 0 verifier nodes; 0 answers pending; the learner judges", (await run.Pbm("verifier", "list")).Output);
        await verifier.SignalAsync("CONT");
        await run.Until(async () => (await run.Pbm("verifier", "list")).Output.StartsWith("v1 |", StringComparison.Ordinal));

        string node = Regex.Match(verifier.Printed, @"Look into ""?v1""? with: ghpo pbm ""?(127\.0\.0\.1:\d+)").Groups[1].Value;
        await run.SignalAsync("STOP");
        await run.Until(async () => Regex.IsMatch(
            (await TinyRun.Run("pbm", node, "why")).Output, @"^v1 verifies, \d+ answers so far; its learner is akka\.tcp://ghpo@127\.0\.0\.1:\d+, silent for \d+ s$", RegexOptions.Multiline));
        await run.SignalAsync("CONT");
        int thawed = run.Steps();
        await run.Until(() => Task.FromResult(run.Steps() > thawed + 2));
        await run.Until(async () => Regex.IsMatch((await TinyRun.Run("pbm", node, "why")).Output, @"^v1 verifies, \d+ answers so far; its learner is akka\.tcp://ghpo@127\.0\.0\.1:\d+$", RegexOptions.Multiline));
    }

    [Fact]
    public async Task A_journal_that_cannot_be_written_is_named_in_why_in_the_log_and_on_the_terminal_and_the_run_goes_on_when_it_can()
    {
        using var run = new LiveRun();
        await run.Begin();
        int locked;
        await using (var other = new SqliteConnection($"Data Source={Path.Combine(run.Folder, "journal.db")};Pooling=False"))
        {
            await other.OpenAsync(TestContext.Current.CancellationToken);
            await using (SqliteCommand begin = other.CreateCommand())
            {
                begin.CommandText = "BEGIN IMMEDIATE";
                await begin.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            }

            await run.Until(async () => Regex.IsMatch(Sentence(await run.Fact("why")), @"^(learner|hints|curriculum) silent for \d+ s: a write to the .+ journal has not come back$"));

            // The journal gives its write up after ten seconds; from then on the team waits for the database.
            JsonElement why = default;
            await run.Until(async () => (why = await run.Fact("why")).GetProperty("stalled").GetBoolean() && Sentence(why).StartsWith("the team", StringComparison.Ordinal));
            Assert.Matches(@"^the team is being started again, since \d+ s, because: .+journal\.db is locked: another program has a transaction open on it$", Sentence(why));
            locked = run.Steps();
            await run.Until(() => Task.FromResult(run.Output.Contains("STALLED: ", StringComparison.Ordinal)));
        }

        await run.Until(() => Task.FromResult(run.Steps() > locked + 2 && run.Output.Contains("the stall is over", StringComparison.Ordinal)));
        Assert.Matches("Stall: .+", run.Log);
        Assert.Contains("sound", (await run.Pbm("journal", "check")).Output, StringComparison.Ordinal);
    }

    private static string Sentence(JsonElement why) => why.GetProperty("sentence").GetString()!;
}
