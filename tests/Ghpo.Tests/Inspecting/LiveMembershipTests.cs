using System.Globalization;
using System.Text.RegularExpressions;
using Ghpo.Bench.Chaos;
using Ghpo.Node.Commands;
using Ghpo.Tests.Node;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary><c>cluster tail</c>, <c>leave</c> and <c>down</c> against processes: who goes, how it ends, and that the run loses nothing.</summary>
public sealed partial class LiveMembershipTests
{
    [Fact]
    public async Task Workers_are_watched_as_they_come_freeze_and_wake_are_sent_away_and_put_out_and_the_run_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals.");
        string port = LiveRun.FreePort().ToString(CultureInfo.InvariantCulture);
        using var run = new LiveRun("--cluster", "--set", $"cluster.port={port}", "--set", "rollout.workers=0");
        using GhpoProcess first = Worker("w1", port);
        await run.Begin(steps: 2);
        using GhpoProcess tail = GhpoProcess.StartAt(OperatingSystem.IsLinux() ? ["env", "--default-signal=INT"] : [], ["pbm", "--run", run.Folder, "cluster", "tail"]);
        string one = await Serving(run, "w1");
        await Told(run, tail, $"MemberUp {one}");
        using GhpoProcess second = Worker("w2", port, "--once");
        string two = await Serving(run, "w2");
        await Told(run, tail, $"MemberUp {two}");

        await first.SignalAsync("STOP");
        await Told(run, tail, $"UnreachableMember {one}");
        await first.SignalAsync("CONT");
        await Told(run, tail, $"ReachableMember {one}");
        await Serving(run, "w1");

        // The host of a worker sends its own node away, and no other one.
        string node = LookIn().Match(first.Printed).Groups[1].Value;
        foreach (string[] words in new[] { new[] { "leave", two }, ["down", one], ["down", await Learner(run), "--yes"] })
        {
            (int exitCode, _, string error) = await TinyRun.Run(["pbm", node, "cluster", .. words]);
            Assert.Equal(ExitCodes.UserError, exitCode);
            Assert.Matches($"^cluster {string.Join(' ', words)}: the learner answers that, .* as in `ghpo pbm 127.0.0.1:{run.Address.Port} cluster {string.Join(' ', words)}`", error);
        }

        Assert.StartsWith($"{one} is asked to leave", (await TinyRun.Run("pbm", node, "cluster", "leave", one)).Output, StringComparison.Ordinal);
        await Ended(first, "w1 was asked to leave its cluster, has left, and ends");
        Assert.Matches(@"\w+@\w+""? orders cluster ""?leave", first.Printed);
        await Told(run, tail, $"MemberLeft {one}", $"MemberExited {one}", $"MemberRemoved {one}");
        await GoesOn(run);

        Assert.StartsWith($"{two} is marked down: ", (await run.Pbm("cluster", "down", two)).Output, StringComparison.Ordinal);
        await Told(run, tail, $"MemberDowned {two}");
        await run.Until(() => Task.FromResult(second.Printed.Contains("w2 is without a learner (PutOut) and looks for a learner again", StringComparison.Ordinal)));
        string again = await Serving(run, "w2", not: two);
        await GoesOn(run);

        Assert.StartsWith($"{again} is asked to leave", (await run.Pbm("cluster", "leave", again)).Output, StringComparison.Ordinal);
        await Ended(second, "w2 was asked to leave its cluster, has left, and ends");
        string log = run.Log;
        foreach ((string order, string whom) in new[] { ("down", two), ("leave", again) })
        {
            Assert.Matches($@"""By"":""[^""]+@[^""]+"",""Order"":""{order}"",""Node"":""{Regex.Escape(whom)}""", log);
        }

        await tail.SignalAsync("INT");
        await tail.Ended.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Interrupted, tail.ExitCode);
        Assert.Equal(ExitCodes.Success, (await run.Pbm("run", "stop")).ExitCode);
        Assert.Equal(ExitCodes.Success, await run.Exit());
        await Sound(run.Folder);
        string orders = (await TinyRun.Run("journal", "show", run.Folder, "--kind", "order")).Output;
        Assert.Matches($@"down of {Regex.Escape(two)} ordered before the commit of step \d+, by \S+@", orders);
        Assert.Matches($@"leave of {Regex.Escape(again)} ordered before the commit of step \d+, by \S+@", orders);
    }

    [Fact]
    public async Task A_learner_that_is_marked_down_ends_at_once_one_that_is_asked_to_leave_stops_its_run_and_both_go_on_to_the_same_bits()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals.");
        // The built-in model, problems that it solves now and then, and a rate that moves the weights: equal bits say something.
        string[] settings =
        [
            "--set", "run.steps=40", "--set", "model.path=models/tiny-arithmetic", "--set", "data.arithmetic.problems=40", "--set", "data.arithmetic.operations=[4, 6, 7]", "--set", "rollout.group-size=4",
            "--set", "rollout.max-new-tokens=40", "--set", "rewards.format=boxed", "--set", "learning.rate=1e-3", "--set", "evaluation.enabled=false", "--set", "inspection.port=0",
        ];
        using var tiny = new TinyRun();
        (int exitCode, string output, string error) = await tiny.Train(settings);
        Assert.True(exitCode == ExitCodes.Success, output + error);

        string port = LiveRun.FreePort().ToString(CultureInfo.InvariantCulture);
        using var run = new LiveRun([.. settings, "--cluster", "--set", $"cluster.port={port}", "--set", "rollout.workers=0"]);
        using GhpoProcess worker = Worker("w1", port, "--once");
        await run.Begin(steps: 2);
        string learner = await Learner(run);
        Assert.Contains("its process ends at once", (await run.Pbm("cluster", "down", learner, "--yes")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failure, await run.Exit());
        Assert.Contains("The learner was marked down in its cluster (`cluster down`; the log says by whom), and the run ended at once.", run.Output, StringComparison.Ordinal);
        await Sound(run.Folder);
        Assert.Contains($"down of {learner} ordered", (await TinyRun.Run("journal", "show", run.Folder, "--kind", "order")).Output, StringComparison.Ordinal);
        int before = run.Steps();

        using GhpoProcess resumed = GhpoProcess.Start("resume", run.Folder, "--cluster", "--plain");
        await Until(() => run.Steps() > before + 1, resumed, worker);
        Assert.Contains("w1 is without a learner (LearnerLost) and looks for a learner again", worker.Printed, StringComparison.Ordinal);
        Assert.StartsWith("stopping: the last step is ", (await run.Pbm("cluster", "leave", learner, "--yes")).Output, StringComparison.Ordinal);
        await Ended(resumed, "Stopped: stopped on request. Go on with: ghpo resume ");
        await Ended(worker, "The learner of w1 has left, and the node ends with it (--once)");
        Assert.Contains(" stop", (await TinyRun.Run("journal", "show", run.Folder, "--kind", "order")).Output, StringComparison.Ordinal);
        await Sound(run.Folder);

        (exitCode, output, error) = await TinyRun.Run("resume", run.Folder, "--plain", "--set", "rollout.workers=1");
        Assert.True(exitCode == ExitCodes.Success, output + error);
        await Sound(run.Folder);
        Assert.Empty(RunComparison.Differences(Path.Combine(tiny.Runs, "tiny"), run.Folder));
        Assert.InRange(RunComparison.DifferentPolicies(run.Folder), 20, 40);
    }

    private static GhpoProcess Worker(string name, string port, params string[] own) => GhpoProcess.Start(
        ["node", "--join", $"127.0.0.1:{port}", "--set", $"cluster.name={name}", "--set", "rollout.slots=8", "--set", "inspection.port=0", .. own]);

    /// <returns>The address of the worker's node, once it serves.</returns>
    private static async Task<string> Serving(LiveRun run, string name, string not = "")
    {
        string address = "";
        await run.Until(async () =>
        {
            address = Regex.Matches((await run.Pbm("worker", "list")).Output, $@"^{name} \| (akka\.tcp://ghpo@127\.0\.0\.1:\d+) \| serving \| v\d+", RegexOptions.Multiline)
                .Select(match => match.Groups[1].Value).FirstOrDefault(found => found != not) ?? "";
            return address.Length > 0;
        });
        return address;
    }

    /// <returns>The address of the learner's node. (The member that leads is whichever has the lowest address.)</returns>
    private static async Task<string> Learner(LiveRun run) => Regex.Match((await run.Pbm("cluster", "show")).Output, @"^(\S+) \| \[learner", RegexOptions.Multiline).Groups[1].Value;

    private static async Task Told(LiveRun run, GhpoProcess tail, params string[] lines)
    {
        foreach (string line in lines)
        {
            await run.Until(() => Task.FromResult(tail.Printed.ReplaceLineEndings("\n").Contains(line + "\n", StringComparison.Ordinal)));
        }
    }

    private static async Task GoesOn(LiveRun run)
    {
        int steps = run.Steps();
        await run.Until(() => Task.FromResult(run.Steps() > steps + 2));
    }

    private static async Task Ended(GhpoProcess process, string sentence)
    {
        await process.Ended.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == ExitCodes.Success && process.Printed.Contains(sentence, StringComparison.Ordinal), process.Printed);
    }

    private static async Task Until(Func<bool> condition, params GhpoProcess[] processes)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!condition())
        {
            Assert.False(patience.IsCancellationRequested, string.Concat(processes.Select(process => process.Printed)));
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static async Task Sound(string folder)
    {
        (int exitCode, string output, string error) = await TinyRun.Run("journal", "check", folder);
        Assert.True(exitCode == ExitCodes.Success, output + error);
    }

    [GeneratedRegex(@"Look into ""?w1""? with: ghpo pbm ""?(127\.0\.0\.1:\d+)")]
    private static partial Regex LookIn();
}
