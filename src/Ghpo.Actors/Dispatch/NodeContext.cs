using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;
using Ghpo.Security;
using static TorchSharp.torch;

namespace Ghpo.Dispatch;

/// <summary>What the worker of a node is made from: its own node's device, threads and slots, and its plane. The rest comes from the learner.</summary>
/// <param name="Name">The worker's name.</param>
/// <param name="Folder">For what the node keeps on disk.</param>
/// <param name="Certificates">For Akka.Remote; null: without TLS.</param>
public sealed record NodeContext(string Name, GhpoSettings Settings, IPolicyPlane Plane, string Folder, ClusterCertificates? Certificates)
{
    public int Slots => Settings.Rollout.Slots;

    public long CacheBytes => Settings.Rollout.CacheBytes;

    public int Threads => Settings.Rollout.Threads;

    /// <summary>What samples instead of the model, a simulation; null: the model.</summary>
    public Func<WorkerSetup, IGenerationEngine>? Engine { get; init; }

    /// <summary>An engine's results depend on its requests alone.</summary>
    public bool Deterministic => Settings.Rollout.Threads == 1 && Settings.Model.Device == "cpu";

    /// <summary>To be called on the thread that will own the engine.</summary>
    /// <exception cref="UserErrorException">The model's configuration or the device is none that this node can use.</exception>
    public IGenerationEngine CreateEngine(WorkerSetup setup)
    {
        if (Engine is not null)
        {
            return Engine(setup);
        }

        TorchThreads.UseOnThisThread(Threads);
        string file = Path.Combine(Folder, "config.json");
        File.WriteAllText(file, setup.ModelConfig);
        return new GenerationEngine(
            ModelConfig.Read(file),
            Devices.Parse(Settings.Model.Device),
            setup.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32,
            setup.StopTokens,
            Slots,
            setup.MaxLength,
            CacheBytes);
    }
}
