using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ghpo.Bench.Chaos;
using Ghpo.Node.Commands;
using Ghpo.Tests.Node;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>A run whose only worker is a process of its own: both are asked, and the worker is drained and frozen, through the real command line.</summary>
public sealed partial class LiveClusterTests
{
    [Fact]
    public async Task A_worker_of_another_node_is_seen_drained_and_named_when_it_freezes_and_its_node_answers_by_itself()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals.");
        string port = LiveRun.FreePort().ToString(CultureInfo.InvariantCulture);
        using var run = new LiveRun("--cluster", "--set", $"cluster.port={port}", "--set", "rollout.workers=0", "--set", "rollout.max-new-tokens=200");
        using GhpoProcess worker = GhpoProcess.Start(
            "node", "--join", $"127.0.0.1:{port}", "--once", "--set", "cluster.name=w1", "--set", "rollout.slots=8", "--set", "inspection.port=0",
            "--set", "observability.http=true", "--set", "observability.http-port=0");
        await run.Begin(steps: 2);

        await run.Until(async () => Regex.IsMatch((await run.Pbm("rollout", "list")).Output, @"^\d+/\d+ +\S+  hint 0\S*  w1  on akka\.tcp://ghpo@127\.0\.0\.1:\d+ since ", RegexOptions.Multiline));
        await run.Until(async () => Regex.IsMatch((await run.Pbm("worker", "list")).Output, @"^w1 \| akka\.tcp://ghpo@127\.0\.0\.1:\d+ \| serving \| v\d+"));
        await AskTheNode(run, worker);

        Assert.Contains("w1 drains", (await run.Pbm("worker", "drain", "w1")).Output, StringComparison.Ordinal);
        await run.Until(async () => Regex.IsMatch(Sentence(await run.Fact("why")), @"groups of step \d+; \d+ waits? for a worker since \d+ s, and w1 is draining since \d+ s \(told to drain\)$"));
        int drained = run.Steps();
        Assert.Contains("w1 takes groups again", (await run.Pbm("worker", "resume", "w1")).Output, StringComparison.Ordinal);
        await run.Until(() => Task.FromResult(run.Steps() > drained + 1));

        Assert.Matches(
            @"drain of w1 ordered before the commit of step \d+, by \S+@(.|\n)+resume of w1 ordered", (await TinyRun.Run("journal", "show", run.Folder, "--kind", "order")).Output);
        await worker.SignalAsync("STOP");
        JsonElement why = default;
        await run.Until(async () => (why = await run.Fact("why")).GetProperty("stalled").GetBoolean());
        Assert.Equal("w1", why.GetProperty("culprit").GetString());
        Assert.Matches(@"^learner waits for \d of 4 groups of step \d+; w1 silent for \d+ s in \w+", Sentence(why));
        await run.Until(() => Task.FromResult(run.Output.Contains("STALLED: learner waits", StringComparison.Ordinal)));
        int stopped = run.Steps();
        await worker.SignalAsync("CONT");
        await run.Until(() => Task.FromResult(run.Steps() > stopped + 1));
        await run.Until(() => Task.FromResult(run.Output.Contains("the stall is over", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_tail_shows_a_rollout_in_progress_until_it_is_interrupted()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals.");
        using var run = new LiveRun("--set", "rollout.max-new-tokens=400");
        await run.Begin();
        // Whoever runs the tests in the background may have SIGINT ignored, and children inherit that.
        string[] heeding = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT"] : [];
        using GhpoProcess tail = GhpoProcess.StartAt(heeding, ["pbm", "--run", run.Folder, "rollout", "tail"]);
        await run.Until(() => Task.FromResult(TailLine().Count(tail.Printed) >= 5));
        await tail.SignalAsync("INT");
        await tail.Ended.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Interrupted, tail.ExitCode);
        Assert.False(run.HasExited);
    }

    private static async Task AskTheNode(LiveRun run, GhpoProcess worker)
    {
        await run.Until(() => Task.FromResult(LookIn().IsMatch(worker.Printed)));
        string node = LookIn().Match(worker.Printed).Groups[1].Value;
        Assert.Matches(@"^w1 (samples|holds|fetches) .*its learner is akka\.tcp://ghpo@127\.0\.0\.1:\d+", (await TinyRun.Run("pbm", node, "why")).Output);
        Assert.Matches(@"^w1 \| v\d+ \| ", (await TinyRun.Run("pbm", node, "worker", "list")).Output);
        Assert.Contains("Count: 2 nodes", (await TinyRun.Run("pbm", node, "cluster", "show")).Output, StringComparison.Ordinal);
        Assert.Contains("joins run tiny", (await TinyRun.Run("pbm", node, "log", "peek", "-n", "100")).Output, StringComparison.Ordinal);
        (int exitCode, _, string elsewhere) = await TinyRun.Run("pbm", node, "run", "metrics", "--last", "3");
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Matches($@"^run metrics --last 3: the learner answers that, and it is at akka\.tcp://ghpo@127\.0\.0\.1:\d+; ask there, as in `ghpo pbm 127\.0\.0\.1:{run.Address.Port} run metrics --last 3`", elsewhere);
        (exitCode, string page, string error) = await TinyRun.Run("top", node);
        Assert.True(exitCode == ExitCodes.Success, error);
        Assert.Matches(@"\nnode +w1 (samples|holds|fetches) [^\n]*\n", page.ReplaceLineEndings("\n"));
        Assert.Matches(@"\nw1 +– +v\d+ ", page.ReplaceLineEndings("\n"));

        string metrics = MetricsAt().Match(worker.Printed).Groups[1].Value;
        using var http = new HttpClient { BaseAddress = new Uri(metrics) };
        Assert.Contains("ghpo_worker_tokens_total{", await http.GetStringAsync(new Uri("metrics", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Matches("^(samples|holds)", await http.GetStringAsync(new Uri("readyz", UriKind.Relative), TestContext.Current.CancellationToken));
    }

    private static string Sentence(JsonElement why) => why.GetProperty("sentence").GetString()!;

    [GeneratedRegex(@"Look into ""?w1""? with: ghpo pbm ""?(127\.0\.0\.1:\d+)")]
    private static partial Regex LookIn();

    [GeneratedRegex("metrics at (http://[^/]+/)metrics")]
    private static partial Regex MetricsAt();

    [GeneratedRegex(@"^\d+/\d+ \S+ answer \d \+\d+: ", RegexOptions.Multiline)]
    private static partial Regex TailLine();
}
