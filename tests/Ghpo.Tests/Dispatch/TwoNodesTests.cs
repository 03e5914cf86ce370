using Ghpo.Tests.Runs;
using Xunit;

namespace Ghpo.Tests.Dispatch;

/// <summary>What happens between a learner's actor system and a node's.</summary>
public abstract class TwoNodesTests : IAsyncLifetime
{
    private protected TwoNodes Nodes { get; } = new();

    private protected TinyRun Tiny { get; } = new();

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Nodes.DisposeAsync();
        Tiny.Dispose();
    }
}
