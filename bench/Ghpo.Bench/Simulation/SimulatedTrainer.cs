using Ghpo.Learning;
using Ghpo.Policy;
using Ghpo.Rollout;
using static TorchSharp.torch;

namespace Ghpo.Bench.Simulation;

/// <summary>Learns in no time: its one weight is the number of steps taken, so every step gives a policy of its own, which workers fetch and prove as they do any.</summary>
internal sealed class SimulatedTrainer : IPolicyTrainer
{
    private static readonly StepMetrics Metrics = new(0.1, 5e-5, 0.5, 0.7, 0, 0, 0.5, 20_000, 40_000, 0);

    public PolicyVersion Version { get; private set; }

    public void Use(LearningSettings learning, int totalSteps)
    {
    }

    public StepMetrics Train(IReadOnlyList<SettledGroup> groups)
    {
        Version = new PolicyVersion(Version.Value + 1);
        return Metrics;
    }

    public PolicySnapshot TakeSnapshot(long epoch)
    {
        var weights = new Dictionary<string, Tensor> { ["steps"] = tensor(new float[] { Version.Value }) };
        return new PolicySnapshot(epoch, Version, PolicyHash.Of(weights), weights);
    }

    public string SaveCheckpoint(string folder)
    {
        Directory.CreateDirectory(folder);
        return Version.Value.ToString("x64", null);
    }

    public void LoadCheckpoint(string folder) => throw new InvalidCheckpointException("a simulated run is not resumed");

    public EvaluationResult Evaluate() => new(Version, []);

    public void Dispose()
    {
    }
}
