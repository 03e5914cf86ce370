using System.Globalization;
using Akka.Actor;
using Akka.Hosting;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Journal;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ghpo.Node.Runs;

/// <summary>
/// What a run's host is made to run: the actors, which tell <see cref="Inspection.RunEvents"/> on the event stream, and how they are
/// asked to end.
/// </summary>
/// <param name="AddTo">Adds the actors to the host's actor system.</param>
/// <param name="StopAfterStep">Asks the run to finish its step, checkpoint, and end.</param>
internal sealed record RunPipeline(Action<AkkaConfigurationBuilder> AddTo, Action<IHost> StopAfterStep) : IDisposable
{
    private IJournalHold? _hold;
    private ClusterEnd? _end;

    /// <summary>What can be looked into while it runs; null: nothing.</summary>
    public RunContext? Run { get; init; }

    /// <summary>Another process has taken the run over: its folder is that one's now.</summary>
    public bool TakenOver => _hold?.State is HoldState.Taken;

    /// <summary>
    /// The whole pipeline in this process. Reads problems and model here, before the host starts and before anything is shown. Holds the
    /// run's journal until disposed.
    /// </summary>
    /// <exception cref="UserErrorException">Data or model files are missing or wrong, or another process holds the journal.</exception>
    public static RunPipeline For(GhpoSettings settings, RunFolder folder)
    {
        RunPipeline pipeline = Of(RunContextFactory.Create(folder.Name, folder.Root, settings, TimeProvider.System), folder);
        if (settings.Journal.Provider == JournalProvider.Postgresql && new JournalReader(settings.Journal, folder.Journal) is var journal && journal.AllEntries().Any())
        {
            pipeline.Dispose();
            throw new UserErrorException(
                $"{journal.Place} holds the journal of a run already. Give this run an empty database of its own: --set journal.connection-string=…");
        }

        return pipeline;
    }

    /// <summary>As the other one, for a run that goes on.</summary>
    /// <exception cref="UserErrorException">Data or model files are missing or wrong, or another process holds the journal.</exception>
    public static RunPipeline For(RunControls controls, RunFolder folder) =>
        Of(RunContextFactory.Create(folder.Name, folder.Root, controls.Journalled, controls.Requests, TimeProvider.System), folder);

    private static RunPipeline Of(RunContext run, RunFolder folder)
    {
        IJournalHold hold = SqlJournal.Hold(run.Settings.Journal, folder.Journal);
        ClusterEnd? end = null;
        run = run with { Hold = hold };
        try
        {
            if (run.Settings.Cluster.Enabled)
            {
                // A learner's plane fetches nothing, and has nothing to say.
                end = ClusterEnd.Open(run.Settings.Cluster, FreePlane(folder), kept: run.Settings.Rollout.Staleness + 2, NullLoggerFactory.Instance);
                EngineFingerprint? engine = run.Settings.Run.Deterministic ? EngineFingerprint.OfThisMachine(run.Settings.Rollout.Threads) : null;
                run = run with { Cluster = new ClusterSide(run.Setup, end.Plane, end.Certificates, engine) };
            }
        }
        catch
        {
            hold.Dispose();
            throw;
        }

        return new RunPipeline(
            akka => akka.WithGhpoRun(run, folder.Journal),
            host => host.Services.GetRequiredService<IRequiredActor<RunActor>>().ActorRef.Tell(new RunProtocol.StopRun()))
        {
            _hold = hold,
            Run = run,
            _end = end,
        };
    }

    /// <summary>A folder for weights that no other process uses: a learner that was frozen, and whose run this one takes over, still has its own.</summary>
    private static string FreePlane(RunFolder folder)
    {
        string plane = folder.Plane;
        for (int next = 2; PolicyArchive.IsInUse(plane); next++)
        {
            plane = string.Create(CultureInfo.InvariantCulture, $"{folder.Plane}-{next}");
        }

        return plane;
    }

    public void Dispose()
    {
        _end?.Dispose();
        _hold?.Dispose();
    }
}
