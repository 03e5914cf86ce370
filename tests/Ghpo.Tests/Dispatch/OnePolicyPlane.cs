using System.Collections.Immutable;
using Ghpo.Policy;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;

namespace Ghpo.Tests.Dispatch;

/// <summary>Has whatever policy is asked for, without weights.</summary>
internal sealed class OnePolicyPlane : IPolicyPlane
{
    private int _fetches;

    public Uri Address { get; } = new("http://127.0.0.1:9/");

    public int Fetches => Volatile.Read(ref _fetches);

    public void Publish(PolicySnapshot snapshot) => throw new NotSupportedException();

    public Task<PolicySnapshot> FetchAsync(long epoch, PolicyVersion version, string hash, Uri learner, CancellationToken stop)
    {
        Interlocked.Increment(ref _fetches);
        return Task.FromResult(new PolicySnapshot(epoch, version, hash, ImmutableDictionary<string, TorchSharp.torch.Tensor>.Empty));
    }

    public void Forget(Uri plane)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
