using System.Collections.Immutable;
using Ghpo.Policy;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;

namespace Ghpo.Tests.Dispatch;

/// <summary>Has whatever policy is asked for, without weights.</summary>
internal sealed class OnePolicyPlane : IPolicyPlane
{
    private int _fetches;

    /// <summary>What a fetch of a version waits for; a version that is not here comes at once.</summary>
    public Dictionary<int, (Task Gate, TaskCompletionSource Cancelled)> Gates { get; } = [];

    public Uri Address { get; } = new("http://127.0.0.1:9/");

    public int Fetches => Volatile.Read(ref _fetches);

    public void Publish(PolicySnapshot snapshot) => throw new NotSupportedException();

    public async Task<PolicySnapshot> FetchAsync(long epoch, PolicyVersion version, string hash, Uri learner, CancellationToken stop)
    {
        Interlocked.Increment(ref _fetches);
        if (Gates.TryGetValue(version.Value, out (Task Gate, TaskCompletionSource Cancelled) gate))
        {
            using CancellationTokenRegistration cancelled = stop.Register(() => gate.Cancelled.TrySetResult());
            await gate.Gate.ConfigureAwait(false);
        }

        return new PolicySnapshot(epoch, version, hash, ImmutableDictionary<string, TorchSharp.torch.Tensor>.Empty);
    }

    public void Forget(Uri plane)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
