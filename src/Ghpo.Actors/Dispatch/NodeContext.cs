using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;
using Ghpo.Security;
using static TorchSharp.torch;

namespace Ghpo.Dispatch;

/// <summary>What the sessions of a node are made from: its own device, threads and slots, and its plane. The rest comes from the learner.</summary>
/// <param name="Name">The worker's name, and the verifier's.</param>
/// <param name="Folder">For what the node keeps on disk.</param>
/// <param name="Certificates">For Akka.Remote; null: without TLS.</param>
public sealed record NodeContext(string Name, GhpoSettings Settings, IPolicyPlane Plane, string Folder, ClusterCertificates? Certificates)
{
    /// <summary>What it does for a learner: <see cref="GhpoNode.RolloutRole"/>, <see cref="GhpoNode.VerifierRole"/>, or both.</summary>
    public ImmutableArray<string> Roles { get; init; } = [GhpoNode.RolloutRole];

    /// <summary>Answers that it judges at a time.</summary>
    public int Verifiers => Settings.Verification.Workers;

    public int Slots => Settings.Rollout.Slots;

    public long CacheBytes => Settings.Rollout.CacheBytes;

    public int Threads => Settings.Rollout.Threads;

    /// <summary>What its engine's bits are; null: the settings are none under which they depend on requests alone.</summary>
    public EngineFingerprint? Engine { get; init; }

    /// <summary>Asks this machine's engine, where a run could rely on the answer: on a CPU, with one thread.</summary>
    public static EngineFingerprint? FingerprintOf(GhpoSettings settings) =>
        settings.Rollout.Threads == 1 && settings.Model.Device == "cpu" ? EngineFingerprint.OfThisMachine(threads: 1) : null;

    /// <summary>What samples instead of the model, a simulation; null: the model.</summary>
    public Func<WorkerSetup, IGenerationEngine>? EngineFactory { get; init; }

    /// <summary>To be called on the thread that will own the engine.</summary>
    /// <exception cref="UserErrorException">The model's configuration or the device is none that this node can use.</exception>
    public IGenerationEngine CreateEngine(WorkerSetup setup)
    {
        if (EngineFactory is not null)
        {
            return EngineFactory(setup);
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
