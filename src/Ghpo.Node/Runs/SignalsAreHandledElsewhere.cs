using Microsoft.Extensions.Hosting;

namespace Ghpo.Node.Runs;

/// <summary>The host's own lifetime would end everything at the first Ctrl-C; <see cref="Interruption"/> lets the step finish.</summary>
internal sealed class SignalsAreHandledElsewhere : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
