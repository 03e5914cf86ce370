using System.Net;
using Ghpo.Policy;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;
using Ghpo.Security;
using Ghpo.Tests.Runs;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace Ghpo.Tests.Policy.Plane;

/// <summary>Planes of one process on loopback, each with a folder of its own; chunks of one MiB.</summary>
internal sealed class PlaneHarness : IAsyncDisposable
{
    public const int ChunkBytes = 1 << 20;

    private readonly TemporaryFolder _root = new();
    private readonly List<PolicyPlane> _planes = [];

    public string FolderOf(string name) => Path.Combine(_root.Path, name);

    public async Task<PolicyPlane> StartAsync(string name, ClusterCertificates? tls = null, int connections = 4)
    {
        PolicyPlane plane = await PolicyPlane.StartAsync(new PolicyPlaneOptions(
            FolderOf(name), 2, IPAddress.Loopback, "127.0.0.1", new PolicyPlaneSettings(0, 1, connections, 16), tls, NullLoggerFactory.Instance));
        _planes.Add(plane);
        return plane;
    }

    /// <summary>Random weights that take <paramref name="chunks"/> chunks, the last of them a small one.</summary>
    public static PolicySnapshot Snapshot(int chunks, int version = 1, int seed = 1)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["big"] = rand([(chunks - 1) * (ChunkBytes / 4)], float32, CPU, generator: generator).DetachFromDisposeScope(),
            ["small"] = rand([3, 5], float32, CPU, generator: generator).to(bfloat16).DetachFromDisposeScope(),
        };
        return new PolicySnapshot(1, new PolicyVersion(version), PolicyHash.Of(weights), weights);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PolicyPlane plane in _planes)
        {
            await plane.DisposeAsync();
        }

        _root.Dispose();
    }
}
