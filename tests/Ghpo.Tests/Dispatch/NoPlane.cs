using Ghpo.Policy;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;

namespace Ghpo.Tests.Dispatch;

/// <summary>For sessions that nobody publishes a policy to.</summary>
internal sealed class NoPlane : IPolicyPlane
{
    public Uri Address { get; } = new("http://127.0.0.1:9/");

    public void Publish(PolicySnapshot snapshot) => throw new NotSupportedException();

    public Task<PolicySnapshot> FetchAsync(long epoch, PolicyVersion version, string hash, Uri learner, CancellationToken stop) => throw new NotSupportedException();

    public void Forget(Uri plane) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
