using Akka.Hosting;
using Ghpo.Configuration;
using Microsoft.Extensions.Hosting;

namespace Ghpo.Node.Runs;

/// <summary>
/// What a run's host is made to run: the actors, which tell <see cref="Inspection.RunEvents"/> on the event stream, and how they are
/// asked to end.
/// </summary>
/// <param name="AddTo">Adds the actors to the host's actor system.</param>
/// <param name="StopAfterStep">Asks the run to finish its step, checkpoint, and end.</param>
internal sealed record RunPipeline(Action<AkkaConfigurationBuilder> AddTo, Action<IHost> StopAfterStep)
{
    /// <summary>The whole pipeline in this process. Reads problems and model here, before the host starts and before anything is shown.</summary>
    /// <exception cref="UserErrorException">Data or model files are missing or wrong.</exception>
    public static RunPipeline For(GhpoSettings settings, RunFolder folder) =>
        throw new InvalidOperationException($"No actors are wired in for {settings.Run.Name} in {folder.Root}.");
}
