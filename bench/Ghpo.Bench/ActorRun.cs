using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Observing;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Microsoft.Extensions.Hosting;

namespace Ghpo.Bench;

/// <summary>
/// A run as <c>ghpo train</c> runs it: the same host and actors, the SQLite journal, the log file, steps.jsonl and TensorBoard events. Its folder
/// is a temporary one and goes with it. Only the reports after the last step are left out.
/// </summary>
internal static class ActorRun
{
    /// <param name="watcher">Sees the run's events besides the production observers; null for none.</param>
    public static async Task<MeasuredRun> ExecuteAsync(GhpoSettings settings, IRunObserver? watcher)
    {
        string runs = Directory.CreateTempSubdirectory("ghpo-bench-").FullName;
        try
        {
            RunFolder folder = RunFolder.Create(settings with { Run = settings.Run with { Name = "run", Folder = runs } }, DateTimeOffset.UnixEpoch);
            GhpoSettings own = folder.ReadSettings();
            using RunPipeline pipeline = RunPipeline.For(own, folder);
            using var view = new PlainView(TextWriter.Null);
            await using (RunLog log = RunLog.Open(folder, own.Logging.Level, view))
            using (var files = new MetricsFiles(folder, TimeProvider.System, () => false))
            using (var tensorBoard = new TensorBoardLog(folder.Metrics, own.Hints))
            await using (Telemetry telemetry = await Telemetry.StartAsync(own, "run", folder.Name))
            {
                var ended = new TaskCompletionSource<RunProgress>(TaskCreationOptions.RunContinuationsAsynchronously);
                IRunObserver[] observers = watcher is null ? [view, log.Context, files, tensorBoard, new RunMeters()] : [view, log.Context, files, tensorBoard, new RunMeters(), watcher];
                using IHost host = RunHost.Build(pipeline, log.Logger, log.Lines, telemetry, observers, ended);
                await host.StartAsync();
                RunProgress end = await ended.Task;
                await host.StopAsync();
                if (end.Ended is not { Outcome: RunOutcome.Completed })
                {
                    throw new UserErrorException($"The run through the actors ended as {end.Ended?.Outcome}: {end.Ended?.Reason}");
                }
            }

            LearnerProtocol.StepCommitted last = new JournalReader(folder.Journal).Events(LearnerActor.JournalId).OfType<LearnerProtocol.StepCommitted>().Last();
            return new MeasuredRun(MetricsFiles.ReadSteps(folder), last.PolicyHash);
        }
        finally
        {
            Directory.Delete(runs, recursive: true);
        }
    }
}
