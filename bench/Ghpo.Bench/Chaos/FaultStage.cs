using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Ghpo.Curriculum;
using Ghpo.Journal;
using Ghpo.Learning;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Bench.Chaos;

/// <summary>
/// A run of a learner and two workers, w1 and w2, on which something goes wrong. With a network the learner is on this machine and each worker on a host of its own. It is
/// ended when the point is made: then the learner finishes its step, and what it made is the beginning of a run that nobody disturbed, bit for bit.
/// </summary>
internal sealed class FaultStage : IDisposable
{
    private readonly string _folder;
    private readonly string? _postgres;
    private readonly int _groups;
    private readonly CancellationTokenSource _over = new();
    private readonly List<Task> _slowed = [];

    /// <param name="folder">Of the run; must not exist.</param>
    /// <param name="train">Arguments of <c>ghpo train</c>, journal included.</param>
    /// <param name="groups">Groups a step.</param>
    public FaultStage(string folder, IReadOnlyList<string> train, int groups, HostNetwork? network, string? postgres)
    {
        _folder = folder;
        _postgres = postgres;
        _groups = groups;
        Network = network;
        Run = new ClusterRun(folder, train, network, postgres);
    }

    public ClusterRun Run { get; }

    public HostNetwork? Network { get; }

    public string Folder => _folder;

    public int Settled => Run.Tables.Rows("gs-v1");

    public static string[] Node => ["--set", "rollout.slots=8"];

    /// <summary>Arguments of <c>ghpo train</c>: short steps, so that there are many of them.</summary>
    /// <param name="groups">Groups a step.</param>
    /// <param name="database">Connection string for the journal; null: SQLite.</param>
    public static string[] Train(string folder, int steps, int groups, string? database) =>
    [
        "train", "--plain", "--run", Path.GetFileName(folder), "--steps", steps.ToString(CultureInfo.InvariantCulture), "--set", $"run.folder={Path.GetDirectoryName(folder)}",
        "--set", "data.arithmetic.problems=80", "--set", "data.arithmetic.operations=[4, 6, 7]", "--set", "data.arithmetic.held-out-problems=1",
        "--set", $"curriculum.groups-per-step={groups.ToString(CultureInfo.InvariantCulture)}", "--set", "rollout.group-size=4", "--set", "rollout.slots=8",
        "--set", "rollout.max-new-tokens=60", "--set", "rollout.deadline=8s", "--set", "learning.threads=1", "--set", "learning.rate=1e-3",
        "--set", "learning.schedule=constant", "--set", "rewards.format-weight=0.5", "--set", "rewards.format=boxed", "--set", "evaluation.enabled=false", "--set", "checkpoints.every-steps=2", "--set", "cluster.policy-plane.chunk-megabytes=1",
        .. database is null ? Array.Empty<string>() : ["--set", "journal.provider=postgresql", "--set", $"journal.connection-string={database}"],
    ];

    /// <summary>Starts learner and workers, and waits until both may have groups in hand.</summary>
    /// <param name="hosts">Of w1 and w2.</param>
    public async Task BeginAsync(int? learner = null, params int?[] hosts)
    {
        Run.StartLearner(learner);
        Run.StartWorkerAt(hosts.ElementAtOrDefault(0), "w1", Node);
        Run.StartWorkerAt(hosts.ElementAtOrDefault(1), "w2", Node);
        await Run.UntilAsync(() => Run.Worker("w1").Said("joins run") > 0 && Run.Worker("w2").Said("joins run") > 0, () => "both workers are not there");
        await MoreAsync(2 * _groups);
    }

    /// <summary>Waits for so many groups more.</summary>
    /// <returns>How long it took.</returns>
    public async Task<TimeSpan> MoreAsync(int groups = 1)
    {
        long start = Stopwatch.GetTimestamp();
        await Run.SettledAsync(Settled + groups);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Waits until all groups of the step that is open now have settled, whoever had them in hand.</summary>
    /// <returns>How long it took.</returns>
    public async Task<TimeSpan> OpenSettledAsync()
    {
        long start = Stopwatch.GetTimestamp();
        await Run.SettledAsync(((Settled / _groups) + 1) * _groups);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Waits until a process has printed a line that contains the text, so many times in all.</summary>
    /// <returns>How long it took.</returns>
    public async Task<TimeSpan> SaidAsync(GhpoProcess process, string text, int times = 1)
    {
        long start = Stopwatch.GetTimestamp();
        await Run.UntilAsync(() => process.Said(text) >= times, () => $"'{text}' was not said");
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Waits until the learner says that the worker serves: it has proved what it holds.</summary>
    public Task ServesAsync(string worker) => AnsweredAsync(
        answer => answer.Split('\n').Any(line => line.StartsWith($"{worker} | ", StringComparison.Ordinal) && line.Contains(" | serving | ", StringComparison.Ordinal)), "worker", "list");

    /// <summary>Asks the learner again and again, as a person would, until the answer is so.</summary>
    public async Task AnsweredAsync(Func<string, bool> isSo, params string[] question)
    {
        string answer = "";
        while (!isSo(answer))
        {
            if (Run.Learner.Ended.IsCompleted)
            {
                throw new InvalidOperationException($"The learner ended; the last answer to '{string.Join(' ', question)}' was:\n{answer}\n{Run.Printed}");
            }

            answer = await AskAsync(question);
        }
    }

    /// <returns>What <c>ghpo pbm</c> printed.</returns>
    public async Task<string> AskAsync(params string[] question)
    {
        using GhpoProcess asked = GhpoProcess.Start(["pbm", "--run", _folder, .. question]);
        await asked.Ended;
        return asked.Printed;
    }

    /// <summary>
    /// Lets a worker run for a sixth of the time only, in pieces shorter than what would make it suspect, so that the run does not end before the point is made.
    /// </summary>
    public void SlowDown(string worker)
    {
        GhpoProcess process = Run.Worker(worker);
        _slowed.Add(Task.Run(async () =>
        {
            while (!_over.IsCancellationRequested && !process.Ended.IsCompleted)
            {
                await process.SignalAsync("STOP");
                await Task.WhenAny(Task.Delay(1500, _over.Token));
                await process.SignalAsync("CONT");
                await Task.WhenAny(Task.Delay(300, _over.Token));
            }
        }));
    }

    /// <summary>Lets all that are slowed down run again.</summary>
    public async Task SpeedUpAsync()
    {
        await _over.CancelAsync();
        await Task.WhenAll(_slowed);
    }

    /// <summary>Ends the run, and compares.</summary>
    /// <param name="calm">Folder of the run that nobody disturbed, on SQLite.</param>
    /// <returns>Steps that were made.</returns>
    /// <exception cref="InvalidOperationException">A process ended with an error, or the run is not as it should be; says how.</exception>
    public async Task<int> EndAsync(string calm)
    {
        await SpeedUpAsync();
        await Run.Learner.SignalAsync("TERM");
        await Run.CompleteAsync(exitCode: 130);
        JournalReader journal = _postgres is null
            ? new JournalReader(Path.Combine(_folder, "journal.db"))
            : new JournalReader(new JournalSettings(JournalProvider.Postgresql, _postgres, KeepRollouts.All), "");
        string[] expected = Hashes(new JournalReader(Path.Combine(calm, "journal.db")));
        string[] actual = Hashes(journal);
        ImmutableArray<string> faults =
        [
            .. JournalCheck.Of(journal.Events(CurriculumActor.JournalId), journal.Events(LearnerActor.JournalId), staleness: 0),
            .. Run.Tables.Faults(actual.Length, _groups),
            .. expected.Distinct().Count() < expected.Length / 2 ? ["The weights hardly move: equal ones say nothing."] : Array.Empty<string>(),
            .. actual.Length == 0 || actual.Length > expected.Length ? [$"{actual.Length} steps were made, and there are {expected.Length} to compare with"] : Array.Empty<string>(),
            .. Enumerable.Range(0, Math.Min(actual.Length, expected.Length)).Where(step => actual[step] != expected[step]).Select(step => $"the weights after step {step} are others"),
        ];
        using GhpoProcess check = GhpoProcess.Start("journal", "check", _folder);
        await check.Ended;
        if (faults.Length > 0 || check.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join('\n', faults)}\n{check.Printed}\n{Run.Printed}");
        }

        return actual.Length;
    }

    public void Dispose()
    {
        _over.Cancel();
        Run.Dispose();
        _over.Dispose();
    }

    private static string[] Hashes(JournalReader journal) => [.. journal.Events(LearnerActor.JournalId).OfType<StepCommitted>().Select(committed => committed.PolicyHash)];
}
