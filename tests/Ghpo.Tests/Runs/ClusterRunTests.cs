using System.Globalization;
using System.Text.RegularExpressions;
using Ghpo.Bench.Chaos;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>
/// Runs of several real processes on loopback. Whoever samples, joins, leaves, freezes or dies: with staleness 0 the run ends with the bits of one that a
/// single process made.
/// </summary>
public sealed partial class ClusterRunTests : IDisposable
{
    private const int Groups = 6;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_learner_and_two_workers_in_three_processes_end_with_the_bits_of_one_process()
    {
        const int Steps = 3;
        string calm = await OneProcess(Steps);
        string folder = Path.Combine(_folder.Path, "three");
        using var run = new ClusterRun(folder, Train(folder, Steps));
        run.StartLearner();
        run.StartWorker("w1", Node);
        run.StartWorker("w2", Node);
        await run.CompleteAsync();

        RequireSame(calm, folder, Steps);
    }

    [Fact]
    public async Task Workers_and_learner_are_killed_frozen_and_told_to_leave_and_nothing_is_lost_repeated_or_skipped()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals.");
        const int Steps = 12;
        string calm = await OneProcess(Steps);
        string folder = Path.Combine(_folder.Path, "chaos");
        using var run = new ClusterRun(folder, [.. Train(folder, Steps), "--set", "rollout.deadline=6s"]);
        run.StartLearner();
        run.StartWorker("w1", Node);
        run.StartWorker("w2", Node);

        await run.SettledAsync(4);
        await run.KillWorkerAsync("w1");
        run.StartWorker("w3", Node);
        await run.SettledAsync(9);
        await run.KillWorkerAsync("w2");
        run.StartWorker("w4", Node);
        await run.SettledAsync(15);
        await run.KillLearnerAsync();
        run.StartLearner();

        // Past its lease, and past what a silent worker is given: what it brings when it wakes up is late. The other one is slowed down meanwhile, or the run would be over.
        await run.SettledAsync(20);
        await run.FreezeAsync("w3", frozen: true);
        for (int piece = 0; piece < 4; piece++)
        {
            await run.FreezeAsync("w4", frozen: true);
            await Task.Delay(TimeSpan.FromSeconds(1.7), TestContext.Current.CancellationToken);
            await run.FreezeAsync("w4", frozen: false);
            await Task.Delay(TimeSpan.FromSeconds(0.3), TestContext.Current.CancellationToken);
        }

        await run.FreezeAsync("w3", frozen: false);
        await run.SettledAsync(27);
        await run.KillLearnerAsync();
        await run.KillWorkerAsync("w4");
        run.StartLearner();
        run.StartWorker("w5", Node);
        await run.SettledAsync(36);
        (_, int exitCode) = await run.TerminateWorkerAsync("w3");
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{run.Printed}");
        await run.CompleteAsync();

        TestContext.Current.TestOutputHelper?.WriteLine(run.Printed);
        RequireSame(calm, folder, Steps);
    }

    [Fact]
    public async Task Answers_that_a_verifier_s_process_judges_until_it_is_told_to_leave_give_the_bits_of_one_process()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals.");
        const int Steps = 2;
        string calm = await OneProcess(Steps);
        string folder = Path.Combine(_folder.Path, "judged");
        using var run = new ClusterRun(folder, [.. Train(folder, Steps), "--set", "verification.on-nodes=true"]);
        run.StartLearner();
        run.StartWorker("v1", "--roles", "verifier");
        await run.UntilAsync(() => run.Worker("v1").Said("verifies for run") > 0, () => "the verifier has not joined");
        run.StartWorker("w1", Node);
        await run.SettledAsync(Groups);
        Assert.Equal(0, (await run.TerminateWorkerAsync("v1")).ExitCode);
        Match judged = Judged().Match(run.Printed);
        Assert.True(judged.Success && int.Parse(judged.Groups[1].Value, CultureInfo.InvariantCulture) >= Groups * 4, run.Printed);
        await run.CompleteAsync();

        RequireSame(calm, folder, Steps);
    }

    [Fact]
    public async Task With_LoRA_the_model_travels_to_a_worker_s_process_once_and_adapters_after_it_and_the_bits_are_those_of_one_process()
    {
        const int Steps = 3;
        string[] lora = ["--set", "learning.lora.rank=2"];
        string calm = await OneProcess(Steps, lora);
        string folder = Path.Combine(_folder.Path, "lora");
        string node = Path.Combine(_folder.Path, "node");
        using var run = new ClusterRun(folder, [.. Train(folder, Steps), .. lora]);
        run.StartLearner();
        run.StartWorker("w1", [.. Node, "--set", $"cluster.folder={node}"]);

        // All that ever were there: an adapter goes when newer ones have come.
        string plane = Path.Combine(node, "plane");
        var seen = new Dictionary<string, long>();
        Task complete = run.CompleteAsync();
        while (!complete.IsCompleted)
        {
            foreach (FileInfo file in Directory.Exists(plane) ? new DirectoryInfo(plane).GetFiles("*.safetensors").Where(file => file.Exists) : [])
            {
                seen[file.Name] = file.Length;
            }

            await Task.WhenAny(complete, Task.Delay(20, TestContext.Current.CancellationToken));
        }

        await complete;
        RequireSame(calm, folder, Steps);
        long[] fetched = [.. seen.Values.OrderDescending()];
        long model = new FileInfo(Path.Combine(folder, "model", "model.safetensors")).Length;
        Assert.True(fetched.Length >= 3 && fetched[0] > model * 9 / 10 && fetched[1] < model / 10, $"a model of {model} bytes; fetched {string.Join(", ", fetched)}");
    }

    [Fact]
    public async Task A_run_of_several_processes_speaks_TLS_with_the_certificates_that_ghpo_certs_makes()
    {
        const int Steps = 2;
        string calm = await OneProcess(Steps);
        string certificates = Path.Combine(_folder.Path, "certs");
        using (GhpoProcess made = GhpoProcess.Start("certs", "--out", certificates, "--nodes", "learner,w1,w2", "--days", "1"))
        {
            await made.Ended;
            Assert.True(made.ExitCode == 0, made.Printed);
        }

        string[] Tls(string member) =>
        [
            "--set", "cluster.tls.enabled=true", "--set", $"cluster.tls.ca={certificates}/ca.pem", "--set", $"cluster.tls.certificate={certificates}/{member}.pem",
            "--set", $"cluster.tls.key={certificates}/{member}.key",
        ];
        string folder = Path.Combine(_folder.Path, "tls");
        using var run = new ClusterRun(folder, [.. Train(folder, Steps), .. Tls("learner")]);
        run.StartLearner();

        // Without certificates nobody gets in: the two that have them make the run, and the third is turned away until it is told to end.
        run.StartWorker("stranger", Node);
        run.StartWorker("w1", [.. Node, .. Tls("w1")]);
        run.StartWorker("w2", [.. Node, .. Tls("w2")]);
        await run.SettledAsync(Groups);
        Assert.Contains("joins run", run.Worker("w1").Printed + run.Worker("w2").Printed, StringComparison.Ordinal);
        Assert.DoesNotContain("has joined", run.Worker("stranger").Printed, StringComparison.Ordinal);
        Assert.Equal(0, (await run.TerminateWorkerAsync("stranger")).ExitCode);
        await run.CompleteAsync();

        RequireSame(calm, folder, Steps);
    }

    [Fact]
    public async Task A_worker_that_is_told_to_end_while_it_starts_or_looks_for_a_learner_ends_in_good_order()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals.");
        using var run = new ClusterRun(Path.Combine(_folder.Path, "none"), []);
        run.StartWorker("w1", Node);
        while (run.Worker("w1").Said("looks for a learner at") == 0)
        {
            Assert.False(run.Worker("w1").Ended.IsCompleted, run.Printed);
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, (await run.TerminateWorkerAsync("w1")).ExitCode);
    }

    private static string[] Node => ["--set", "rollout.slots=8"];

    private async Task<string> OneProcess(int steps, params string[] settings)
    {
        string calm = Path.Combine(_folder.Path, "calm");
        using GhpoProcess process = GhpoProcess.Start([.. Train(calm, steps), .. settings]);
        await process.Ended;
        Assert.True(process.ExitCode == 0, process.Printed);
        Assert.InRange(RunComparison.DifferentPolicies(calm), steps / 2, steps);
        return calm;
    }

    private static void RequireSame(string calm, string folder, int steps)
    {
        IEnumerable<object> Events(string actor) => new JournalReader(Path.Combine(folder, "journal.db")).Events(actor);

        Assert.Empty(JournalCheck.Of(Events(CurriculumActor.JournalId), Events(LearnerActor.JournalId), staleness: 0));
        Assert.Empty(new JournalTables(Path.Combine(folder, "journal.db")).Faults(steps, Groups));
        Assert.Empty(RunComparison.Differences(calm, folder));
    }

    [GeneratedRegex(@"has judged (\d+) answers")]
    private static partial Regex Judged();

    private static string[] Train(string folder, int steps) =>
    [
        "train", "--plain", "--run", Path.GetFileName(folder), "--steps", $"{steps}", "--set", $"run.folder={Path.GetDirectoryName(folder)}",
        "--set", "data.arithmetic.problems=40", "--set", "data.arithmetic.operations=[4, 6, 7]", "--set", "data.arithmetic.held-out-problems=1",
        "--set", $"curriculum.groups-per-step={Groups}", "--set", "rollout.group-size=4", "--set", "rollout.slots=8",
        "--set", "rollout.max-new-tokens=40", "--set", "learning.threads=1", "--set", "learning.rate=1e-3", "--set", "learning.schedule=constant",
        "--set", "rewards.format-weight=0.5", "--set", "rewards.format=boxed", "--set", "evaluation.enabled=false", "--set", "checkpoints.every-steps=2",
    ];
}
