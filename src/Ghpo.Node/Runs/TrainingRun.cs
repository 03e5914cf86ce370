using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Models;
using Ghpo.Node.Commands;
using Ghpo.Node.Observing;
using Ghpo.Node.Reporting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Spectre.Console;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Runs;

/// <summary>One session of a run, from its host's start to the final table.</summary>
internal static class TrainingRun
{
    /// <param name="console">Where the user looks on: a live view if it is a terminal and <paramref name="plain"/> is false, else a line a step.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> ExecuteAsync(RunFolder folder, GhpoSettings settings, RunPipeline pipeline, IAnsiConsole console, bool plain)
    {
        TimeProvider time = TimeProvider.System;
        long begun = time.GetTimestamp();
        bool live = !plain && console.Profile.Capabilities is { Interactive: true, Ansi: true };
        RunProgress? end = null;
        bool interrupted = false;
        using (IRunView view = live ? new LiveView(console) : new PlainView(console.Profile.Out.Writer))
        await using (RunLog log = RunLog.Open(folder, settings.Logging.Level, view))
        using (var files = new MetricsFiles(folder, time, () => pipeline.TakenOver))
        using (var tensorBoard = new TensorBoardLog(folder.Metrics, settings.Hints))
        await using (Telemetry telemetry = await Telemetry.StartAsync(settings, "run", folder.Name))
        {
            var ended = new TaskCompletionSource<RunProgress>(TaskCreationOptions.RunContinuationsAsynchronously);
            var newest = new NewestProgress();
            using IHost host = RunHost.Build(pipeline, log.Logger, log.Lines, telemetry, [view, log.Context, newest, files, tensorBoard, new RunMeters()], ended);
            using var interruption = new Interruption(
                askToStop: _ =>
                {
                    view.Note($"Finishing step {newest.Progress.StepsDone + 1}, then a checkpoint; Ctrl-C again to exit now.");
                    pipeline.StopAfterStep(host);
                },
                exitNow: () =>
                {
                    console.Profile.Out.Writer.Write(live ? "\e[?25h\n" : "");
                    console.Profile.Out.Writer.WriteLine($"Stopped at once. `{folder.ResumeCommand}` goes on from the last journalled group.");
                    console.Profile.Out.Writer.Flush();
                    Interruption.ExitNow(ExitCodes.Interrupted);
                });
            try
            {
                end = await RunToEndAsync(host, ended.Task);
                interrupted = interruption.Asked;
            }
            catch (Exception failure) when (failure is not UserErrorException)
            {
                log.Logger.Fatal(failure, "The session failed");
            }
        }

        if (!pipeline.TakenOver)
        {
            File.Delete(folder.Inspection);
        }

        if (end is null)
        {
            console.WriteLine($"The log is {folder.Log}. `{folder.ResumeCommand}` goes on from the last journalled group.");
            return ExitCodes.Failure;
        }

        return Conclude(folder, settings, end, interrupted, time.GetElapsedTime(begun), console);
    }

    private static async Task<RunProgress> RunToEndAsync(IHost host, Task<RunProgress> ended)
    {
        await host.StartAsync();
        ActorSystem system = host.Services.GetRequiredService<ActorSystem>();
        await Task.WhenAny(ended, system.WhenTerminated);
        if (!ended.IsCompleted)
        {
            throw new InvalidOperationException(CoordinatedShutdown.Get(system).ShutdownReason is CoordinatedShutdown.ClusterDowningReason
                ? "The learner was marked down in its cluster (`cluster down`; the log says by whom), and the run ended at once."
                : "The actor system ended before the run did.");
        }

        RunProgress end = await ended;
        await host.StopAsync();
        return end;
    }

    private static int Conclude(RunFolder folder, GhpoSettings settings, RunProgress end, bool interrupted, TimeSpan duration, IAnsiConsole console)
    {
        RunEvents.RunEnded ended = end.Ended!;
        if (ended.Outcome == RunOutcome.Failed)
        {
            console.WriteLine($"The run failed after {end.StepsDone} steps: {ended.Reason ?? "no reason given"}");
            console.WriteLine($"The log is {folder.Log}. `{folder.ResumeCommand}` goes on from the last journalled group.");
            return ExitCodes.Failure;
        }

        string report = ReportPage.Write(folder);
        RunSummary run = RunSummary.Read(folder);
        if (run is { Before: { } before, After: { } after })
        {
            console.Write(FinalTable.Of(before, after));
        }

        console.WriteLine($"{end.StepsDone} steps in {Duration(run.TrainingTime)}; this session took {Duration(duration)}");
        if (ended.Outcome == RunOutcome.Completed)
        {
            if (ended.ModelFolder is { } checkpoint)
            {
                LeaveModel(folder, settings.Model, checkpoint);
            }

            console.WriteLine($"model:  {folder.Model}");
        }

        console.WriteLine($"report: {report}");
        if (PlotFont.Advice is { } advice)
        {
            console.WriteLine(advice);
        }

        if (ended.Outcome == RunOutcome.Stopped)
        {
            console.WriteLine($"Stopped{(ended.Reason is { } reason ? $": {reason}" : "")}. Go on with: {folder.ResumeCommand}");
            return interrupted ? ExitCodes.Interrupted : ExitCodes.Success;
        }

        return ExitCodes.Success;
    }

    /// <summary>What was trained, as a model that loads anywhere; of a run with learning.lora also the adapter alone, in PEFT's layout.</summary>
    private static void LeaveModel(RunFolder folder, ModelSettings model, string checkpoint)
    {
        if (!LoraAdapters.IsIn(checkpoint))
        {
            ModelFolder.Copy(checkpoint, folder.Model);
            return;
        }

        LoraAdapters.Copy(checkpoint, folder.Adapter);
        MergedModel.Write(ModelFolder.Resolve(model.Path), folder.Adapter, folder.Model, model.Dtype.Scalar());
    }

    private sealed class NewestProgress : IRunObserver
    {
        private volatile RunProgress _progress = RunProgress.None;

        public RunProgress Progress => _progress;

        public void Observe(object runEvent, RunProgress progress) => _progress = progress;

        public void Dispose()
        {
        }
    }
}
