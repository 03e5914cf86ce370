using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Commands;
using Ghpo.Node.Comparing;
using Ghpo.Node.Reporting;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary>Trials are a shell script here, which leaves the files that a run leaves.</summary>
public sealed class TrialRunnerTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private readonly List<string> _notes = [];

    public TrialRunnerTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The stand-in for a run is a shell script.");
        string Line(int version, double accuracy) => JsonSerializer.Serialize(RecordedRun.Evaluation(version, accuracy), MetricsJson.Default.EvaluationResult);
        File.WriteAllText(Path.Combine(_temporary.Path, "before"), Line(0, 0.25) + "\n");
        File.WriteAllText(Path.Combine(_temporary.Path, "none"), Line(9, 0.5) + "\n");
        File.WriteAllText(Path.Combine(_temporary.Path, "ladder"), Line(9, 0.75) + "\n");
        File.WriteAllText(
            Path.Combine(_temporary.Path, "outcome"),
            JsonSerializer.Serialize(new RunOutcomeRecord(RunOutcome.Completed, 9, null, 1), MetricsJson.Default.RunOutcomeRecord));
        // Fails at ladder-seed-2 as long as there is a file "trap"; when it is resumed it succeeds.
        File.WriteAllText(Path.Combine(_temporary.Path, "run.sh"), """
            here=$(dirname "$0")
            echo "$@" >> "$here/calls"
            if [ "$1" = train ]; then
              name=$(basename "$3" .conf); run=$(dirname "$3")/$name
              mkdir -p "$run/metrics"; cp "$3" "$run/run.conf"
            else
              run=$2; name=$(basename "$run")
            fi
            if [ -f "$here/trap" ] && [ "$name" = ladder-seed-2 ]; then echo "out of luck" >&2; exit 1; fi
            cat "$here/before" "$here/${name%%-*}" > "$run/metrics/evaluations.jsonl"
            cp "$here/outcome" "$run/metrics/outcome.json"
            """);
    }

    public void Dispose() => _temporary.Dispose();

    private string[] Calls => [.. File.ReadAllLines(Path.Combine(_temporary.Path, "calls")).Select(line => $"{line.Split(' ')[0]} {(line.Contains("ladder-seed-2", StringComparison.Ordinal) ? "trapped" : "other")}")];

    private ComparisonPlan Plan(params string[] sets) => ComparisonPlan.Make("test", _temporary.Path, null, null, "none,ladder", "1,2", 5000, sets);

    private async Task<ComparisonResult> Run(ComparisonPlan plan)
    {
        using var runner = new TrialRunner(plan, jobs: 2, line => { lock (_notes) { _notes.Add(line); } }, ["/bin/sh", Path.Combine(_temporary.Path, "run.sh")]);
        return CompareCommand.Gather(plan, await runner.RunAsync(), runner.LogOf);
    }

    [Fact]
    public async Task A_failed_trial_is_reported_with_its_log_the_others_go_on_and_repeating_runs_only_what_is_missing()
    {
        await File.WriteAllTextAsync(Path.Combine(_temporary.Path, "trap"), "", TestContext.Current.CancellationToken);
        ComparisonResult first = await Run(Plan());
        Assert.Equal(["none 1", "none 2", "ladder 1"], first.Trials.Select(trial => $"{trial.Arm} {trial.Seed}"));
        Assert.StartsWith("ladder-seed-2 (Failed, log ", Assert.Single(first.Missing), StringComparison.Ordinal);
        Assert.Contains(_notes, note => note.StartsWith("ladder-seed-2: failed with exit code 1", StringComparison.Ordinal) && note.EndsWith("out of luck", StringComparison.Ordinal));
        Assert.Equal(4, Calls.Length);

        File.Delete(Path.Combine(_temporary.Path, "trap"));
        ComparisonResult second = await Run(Plan());
        Assert.Equal("resume trapped", Assert.Single(Calls[4..]));
        Assert.Empty(second.Missing);
        Assert.Equal([0.25, 0.25], Assert.Single(second.Differences).BySeed);
    }

    [Fact]
    public async Task A_trial_that_was_run_with_other_settings_is_not_mixed_in()
    {
        await Run(Plan());
        UserErrorException error = await Assert.ThrowsAsync<UserErrorException>(() => Run(Plan("learning.rate=0.5")));
        Assert.Matches(@"ghpo\.learning\.rate \(\S+ then, 0\.5 now\)", error.Message);
        Assert.Contains("--name", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, Calls.Length);
    }
}
