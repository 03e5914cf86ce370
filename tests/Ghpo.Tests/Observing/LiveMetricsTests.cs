using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Node.Observing;
using Ghpo.Node.Runs;
using Ghpo.Rollout;
using Ghpo.Tests.Inspecting;
using Xunit;

namespace Ghpo.Tests.Observing;

/// <summary>A run in a process of its own, watched as machines watch it.</summary>
public sealed partial class LiveMetricsTests
{
    private static readonly DateTimeOffset _noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private static string[] Moving { get; } =
    [
        "ghpo_run_steps_total", "ghpo_run_groups_total", "ghpo_run_answers_total", "ghpo_run_tokens_total", "ghpo_worker_tokens_total", "ghpo_pipeline_stage_duration_seconds_count",
    ];

    [Fact]
    public async Task A_run_is_scraped_its_counters_move_and_its_log_says_of_each_line_which_run_and_step()
    {
        using var run = new LiveRun("--set", "observability.http=true", "--set", "observability.http-port=0");
        await run.Until(() => Task.FromResult(MetricsLine().IsMatch(run.Output)));
        using var http = new HttpClient { BaseAddress = new Uri(MetricsLine().Match(run.Output).Groups[1].Value) };
        await run.Until(async () => (await Status(http, "readyz")) == HttpStatusCode.OK);
        await run.Begin(steps: 1);
        PrometheusText first = await Scrape(http);
        // Who asks how much a counter grew must have seen it before.
        Assert.All(
            new[] { "ghpo_run_staleness", "ghpo_run_stalls_total", "ghpo_run_checkpoints_total", "ghpo_verdict=\"verifier-failed\"" },
            counter => Assert.Contains(first.Names, name => name.Contains(counter, StringComparison.Ordinal)));
        await run.Begin(steps: run.Steps() + 2);
        PrometheusText second = first;

        // An answer is kept for a moment, and steps and groups are counted one after the other.
        await run.Until(async () =>
        {
            second = await Scrape(http);
            return Moving.All(counter => second.Sum(counter) > first.Sum(counter)) && second.Sum("ghpo_run_groups_total") == 4 * second.Sum("ghpo_run_steps_total")
                // Told each second.
                && second.Sum("ghpo_run_workers") == 1;
        });
        Assert.Contains(second.Names, name => name.StartsWith("ghpo_worker_tokens_total{ghpo_worker=\"rollout-0\"", StringComparison.Ordinal));
        Assert.Contains(second.Names, name => name.StartsWith("target_info{", StringComparison.Ordinal) && name.Contains("ghpo_run=\"tiny\"", StringComparison.Ordinal));
        Assert.Contains(second.Names, name => name.StartsWith("dotnet_gc_", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, await Status(http, "healthz"));

        await run.Pbm("run", "stop");
        await run.Exit();
        JsonElement[] lines = [.. File.ReadAllLines(RunFolder.Open(run.Folder).Log).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.All(lines, line => Assert.Equal("tiny", line.GetProperty("Run").GetString()));
        Assert.All(lines, line => Assert.InRange(line.GetProperty("Step").GetInt32(), 0, run.Steps()));
        Assert.Equal(Enumerable.Range(0, run.Steps()), lines.Where(line => line.GetProperty("@mt").GetString()!.StartsWith("Step {Step} is committed", StringComparison.Ordinal)).Select(line => line.GetProperty("Step").GetInt32()));
    }

    [Fact]
    public void A_run_is_ready_from_its_first_policy_on_and_not_while_its_team_starts_again_or_when_it_is_over()
    {
        StallWatch watch = StallWatch.New(_noon);
        Assert.False(ReadyOf(watch));
        var learner = new LearnerProtocol.LearnerView(1, 0, new PolicyVersion(0), 0, 4, 0, "restoring");
        Assert.False(ReadyOf(watch.Heard(learner, _noon)));
        StallWatch sampling = watch.Heard(learner with { Activity = "sampling", Published = new PolicyVersion(0) }, _noon);
        Assert.True(ReadyOf(sampling));
        Assert.False(ReadyOf(sampling.Regroups("the disk is full", _noon)));
        Assert.False(ReadyOf(sampling.Over(new RunEvents.RunEnded(RunOutcome.Stopped, 1, null, null))));
    }

    [Fact]
    public void A_line_about_a_group_has_the_step_of_the_group()
    {
        var context = new LogContext("r");
        context.Observe(new object(), RunProgress.None with { StepsDone = 7 });
        var lines = new List<Serilog.Events.LogEvent>();
        using (Serilog.Core.Logger log = new Serilog.LoggerConfiguration().Enrich.With(context).WriteTo.Sink(new Kept(lines)).CreateLogger())
        {
            log.Information("Group {Group} is late", new Ghpo.Dispatch.WorkKey(new Ghpo.Curriculum.GroupId(9, 1), 2));
            log.Information("nothing of note");
            log.Information("step {Step} it is", 8);
        }

        Assert.Equal(["9", "7", "8"], lines.Select(line => line.Properties["Step"].ToString()));
        Assert.All(lines, line => Assert.Equal("\"r\"", line.Properties["Run"].ToString()));
    }

    private static bool ReadyOf(StallWatch watch) => Health.Of(new RunWatchActor.WatchView(RunProgress.None, watch, watch.Diagnose(_noon), null, _noon)).Ready;

    private static async Task<PrometheusText> Scrape(HttpClient http) => new(await http.GetStringAsync(new Uri("metrics", UriKind.Relative), TestContext.Current.CancellationToken));

    private static async Task<HttpStatusCode> Status(HttpClient http, string path)
    {
        using HttpResponseMessage answer = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    [GeneratedRegex("metrics at (http://[^/]+/)metrics")]
    private static partial Regex MetricsLine();

    private sealed class Kept(List<Serilog.Events.LogEvent> lines) : Serilog.Core.ILogEventSink
    {
        public void Emit(Serilog.Events.LogEvent logEvent) => lines.Add(logEvent);
    }
}
