using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ghpo.Node.Commands;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Ghpo.Tests.Node;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>A run in a process of its own, looked into and steered through the real command line.</summary>
public sealed class LiveRunTests
{
    [Fact]
    public async Task A_run_is_asked_paused_resumed_changed_checkpointed_and_stopped_and_its_journal_says_by_whom()
    {
        using var run = new LiveRun();
        await run.Begin();

        await run.Until(async () => Regex.IsMatch((await run.Pbm("run", "status")).Output, @"^tiny: running, step \d+/100000"));
        Assert.Contains("paused: step", (await run.Pbm("run", "pause")).Output, StringComparison.Ordinal);
        await run.Until(async () => (await run.Fact("why")).GetProperty("sentence").GetString()!.StartsWith("the run is paused before step", StringComparison.Ordinal));
        JsonElement standing = await run.Fact("run", "status");
        Assert.Equal("paused", standing.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, standing.GetProperty("eta_seconds").ValueKind);
        int paused = standing.GetProperty("step").GetInt32();
        await run.Until(() => Task.FromResult(run.Steps() == paused));
        (int exitCode, _, string refusal) = await run.Pbm("run", "pause");
        Assert.Equal(ExitCodes.Failure, exitCode);
        Assert.Contains($"paused already, by {Environment.UserName}@", refusal, StringComparison.Ordinal);

        int from = (await run.Fact("run", "set", "learning.rate", "1e-3")).GetProperty("from_step").GetInt32();
        Assert.Equal(paused, run.Steps());
        Assert.Equal(paused, from);
        Assert.Equal(from, (await run.Fact("hint", "levels", "0.3", "0.6")).GetProperty("from_step").GetInt32());
        Assert.Contains("resumed: step", (await run.Pbm("run", "resume")).Output, StringComparison.Ordinal);
        await run.Until(() => Task.FromResult(run.Steps() > paused + 2));

        (exitCode, string said, string problem) = await run.Pbm("run", "checkpoint");
        Assert.True(exitCode == ExitCodes.Success || problem.Contains("holds all that is learned", StringComparison.Ordinal), said + problem);
        Assert.Contains("stopping", (await run.Pbm("run", "stop")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Success, await run.Exit());
        Assert.False(File.Exists(Path.Combine(run.Folder, "inspection.json")));

        double[] rates = [.. MetricsFiles.ReadSteps(RunFolder.Open(run.Folder)).Select(step => step.Learning.LearningRate)];
        // The warm-up of 10 % of 100,000 steps: rate · (s + 1) / 10,000.
        Assert.Equal(3e-4 * from / 10_000, rates[from - 1], 1e-12);
        Assert.Equal(1e-3 * (from + 1) / 10_000, rates[from], 1e-12);
        (_, string shown, _) = await TinyRun.Run("journal", "show", run.Folder, "--kind", "control", "--kind", "order", "--json");
        JsonElement[] events = [.. shown.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event"))];
        Assert.Equal(["Pause", "Resume", "Stop"], events.Where(one => one.TryGetProperty("order", out JsonElement _)).Select(one => one.GetProperty("order").GetString()).Where(order => order != "Checkpoint"));
        Assert.All(events, one => Assert.StartsWith($"{Environment.UserName}@", one.GetProperty("by").GetString(), StringComparison.Ordinal));
        (exitCode, said, problem) = await TinyRun.Run("journal", "check", run.Folder);
        Assert.True(exitCode == ExitCodes.Success, said + problem);
        (exitCode, said, problem) = await TinyRun.Run("replay", run.Folder, "--verify");
        Assert.True(exitCode == ExitCodes.Success, said + problem);
    }

    [Fact]
    public async Task A_prompt_in_a_process_of_its_own_steers_a_run_and_its_last_exit_code_is_the_script_s()
    {
        using var run = new LiveRun();
        await run.Begin(25);
        (int exitCode, string output, string error) = await run.Prompt(
            "run status", "run metrics --last 24", "run pausee", "run pause", "run set learning.rate 5e-4", "run resume", "help run", "log level debugg");

        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains("tiny: running, step ", output, StringComparison.Ordinal);
        // More steps than the process keeps in memory: they come from the journal.
        int[] steps = [.. Regex.Matches(output, @"^step +(\d+)  reward", RegexOptions.Multiline).Select(match => int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(Enumerable.Range(steps[0], 24), steps);
        Assert.Contains("run pausee: no such command; did you mean pause?", error, StringComparison.Ordinal);
        Assert.Contains("paused: step", output, StringComparison.Ordinal);
        Assert.Contains("resumed: step", output, StringComparison.Ordinal);
        Assert.Contains("run set KEY VALUE…", output, StringComparison.Ordinal);
        Assert.Contains("did you mean debug?", error, StringComparison.Ordinal);

        JsonElement shown = JsonDocument.Parse((await LiveRun.Cli("journal", "show", run.Folder, "--kind", "control", "--json")).Output).RootElement.GetProperty("event");
        int from = shown.GetProperty("from_step").GetInt32();
        await run.Until(() => Task.FromResult(run.Steps() > from));
        string line = File.ReadLines(Path.Combine(run.Folder, "metrics", "steps.jsonl")).ElementAt(from);
        JsonElement step = JsonDocument.Parse(line).RootElement;
        // What a script reads of a step is the same from the file and from the run.
        (_, string told, _) = await run.Pbm("run", "metrics", "--last", "10000", "--json");
        JsonElement same = told.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(one => JsonDocument.Parse(one).RootElement).Single(one => one.GetProperty("step").GetInt32() == from);
        Assert.All(step.EnumerateObject().Where(field => field.Name != "verdicts"), field => Assert.Equal(field.Value.GetRawText(), same.GetProperty(field.Name).GetRawText()));
        Assert.Equal(from, step.GetProperty("step").GetInt32());
        // The warm-up of 10 % of 100,000 steps: rate · (s + 1) / 10,000.
        Assert.Equal(5e-4 * (from + 1) / 10_000, step.GetProperty("learning").GetProperty("learning_rate").GetDouble(), 1e-12);
        Assert.Equal(("ghpo.learning.rate", "0.0005"), (shown.GetProperty("key").GetString(), shown.GetProperty("value").GetString()));
        Assert.False(run.HasExited);
    }

    [Fact]
    public async Task A_prompt_whose_run_ends_says_so_and_ends()
    {
        using var run = new LiveRun();
        await run.Begin();
        using Process prompt = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ghpo.dll"), "pbm", "--run", run.Folder])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await prompt.StandardInput.WriteLineAsync("why");
        Assert.NotEmpty(await prompt.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? "");
        Assert.Equal(ExitCodes.Success, (await run.Pbm("run", "stop")).ExitCode);
        Assert.Equal(ExitCodes.Success, await run.Exit());
        await prompt.StandardInput.WriteLineAsync("why");
        string error = await prompt.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await prompt.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Failure, prompt.ExitCode);
        Assert.Contains("the connection is gone", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_question_is_answered_while_the_run_goes_on()
    {
        using var run = new LiveRun();
        await run.Begin();
        string problem = Regex.Match((await run.Pbm("journal", "lineage", "--step", "0", "--json")).Output, "\"problem\": *\"([^\"]+)\"").Groups[1].Value;
        foreach ((string expected, string[] words) in new (string, string[])[]
        {
            (@"^step +\d+  reward", ["run", "metrics", "--last", "3"]),
            ($@"^{problem}: \d+ of \d+ answers correct over 1 groups; last [a-z-]+ at", ["curriculum", "problem", problem]),
            ($@"^{problem}: (never solved yet|last solved at)", ["hint", "problem", problem]),
            ($@"^tiny, problem {problem}: \d+ of \d+ answers correct", ["journal", "lineage", "--problem", problem]),
            (@"^[\d:.]+ INFO ", ["log", "peek", "-n", "3"]),
            (@"^akka\.tcp://ghpo@127\.0\.0\.1:\d+ \| \[learner,rollout,verifier\] \| up \|  \| .+\nCount: 1 nodes", ["cluster", "show"]),
            (@"\| up \|", ["cluster", "status"]),
            (@"^akka\.tcp://ghpo@", ["cluster", "leader"]),
            (@"^/user\n", ["actor", "hierarchy", "-d", "3"]),
            (@"^ghpo \| akka\.tcp", ["actor", "system"]),
            (@"^pass \d+, at problem", ["curriculum", "show"]),
            (@"^levels 25 % 50 % 75 %", ["hint", "show"]),
            (@"rollout", ["worker", "list"]),
            (@"(hint 0|no group is being sampled)", ["rollout", "list"]),
            (@"^stage +in +out", ["pipeline", "show"]),
            (@"(learner waits|trainer is|the run is starting|silent for)", ["why"]),
            (@"tiny: sound\.", ["journal", "check"]),
            (@"tiny, step 0: v0 \(base model\)", ["journal", "lineage", "--step", "0"]),
            (@"logged from now on: debug", ["log", "level", "debug"]),
        })
        {
            (int exitCode, string output, string error) = await run.Pbm(words);
            Assert.True(exitCode == ExitCodes.Success, $"{string.Join(' ', words)}: {error}{output}");
            Assert.Matches(expected, output.ReplaceLineEndings("\n"));
        }

        foreach ((string expected, string[] words) in new (string, string[])[]
        {
            ("runn: no such command; did you mean run?", ["runn", "status"]),
            ("run statuss: no such command; did you mean status?", ["run", "statuss"]),
            ("run metrics has no switch --lats; did you mean --last?", ["run", "metrics", "--lats", "3"]),
            ("run set needs value", ["run", "set", "learning.rate"]),
            ("did you mean ghpo.learning.rate?", ["run", "set", "learning.rat", "1"]),
            ("did you mean run?", ["help", "runn"]),
            ("ghpo resume tiny --set rollout.workers=3", ["run", "set", "rollout.workers", "3"]),
            ("cannot change within a run", ["run", "set", "rollout.staleness", "1"]),
            ("last = 0 must be a whole number from 1", ["run", "metrics", "--last", "0"]),
            ("the run has no such training problem", ["curriculum", "problem", "nobody"]),
            ("no such group is being sampled", ["rollout", "show", "7777/0"]),
            ("the run has no problem nobody", ["rollout", "tail", "--problem", "nobody"]),
            ("there is no /user/nobody", ["actor", "hierarchy", "-s", "/user/nobody"]),
            ("rollout-7", ["worker", "drain", "rollout-7"]),
            ("needs either --step or --problem", ["journal", "lineage"]),
            ("--yes` does it all the same", ["cluster", "down", (await run.Fact("cluster", "leader")).GetProperty("leader").GetString()!]),
            ("no such member", ["cluster", "down", "akka.tcp://ghpo@127.0.0.1:1"]),
            ("--yes` does it all the same", ["cluster", "leave", (await run.Fact("cluster", "leader")).GetProperty("leader").GetString()!]),
            ("did you mean debug?", ["log", "level", "debugg"]),
        })
        {
            (int exitCode, string output, string error) = await run.Pbm(words);
            Assert.True(exitCode is ExitCodes.UserError or ExitCodes.Failure, $"{string.Join(' ', words)}: {output}");
            Assert.Contains(expected, error, StringComparison.Ordinal);
        }

        // Scripts are told in JSON what there is, too.
        (_, string palettes, _) = await run.Pbm("help", "--json");
        Assert.Contains("run", palettes.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("name").GetString()));
        (_, string commands, _) = await run.Pbm("help", "run", "--json");
        Assert.Contains("run set KEY VALUE…", commands.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("usage").GetString()));

        // A group that is being sampled at this moment.
        await run.Until(async () =>
            Regex.Match((await run.Pbm("rollout", "list")).Output, @"^\d+/\d+") is { Success: true } group
            && Regex.IsMatch((await run.Pbm("rollout", "show", group.Value)).Output, $@"^{group.Value} +\S+  hint .+ tok/s\s+--- answer 0, \d+ tokens"));
        Assert.False(run.HasExited);
    }
}
