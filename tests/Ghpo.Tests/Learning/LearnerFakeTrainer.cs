using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Policy;
using Ghpo.Rollout;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Learning;

/// <summary>
/// A trainer whose weights are a hash chain over the groups it was fed and the learning rates it was fed at: any group lost, repeated or out of order gives other weights. The epoch a
/// group was sampled in is left out of the chain: it is all that a killed run may differ in.
/// </summary>
internal sealed class LearnerFakeTrainer(string baseModel = "base") : IPolicyTrainer
{
    private string _weights = baseModel;
    private int _version;
    private double _rate;

    public PolicyVersion Version => new(_version);

    /// <summary>Called before a checkpoint is written; may take its time.</summary>
    public Action BeforeSave { get; init; } = static () => { };

    /// <summary>Fails the training of this step.</summary>
    public int? FailAt { get; init; }

    public void Use(LearningSettings learning, int totalSteps) => _rate = learning.Rate;

    public StepMetrics Train(IReadOnlyList<SettledGroup> groups)
    {
        if (_version == FailAt)
        {
            throw new InvalidOperationException("the loss is NaN");
        }

        GhpoEventSerializer serializer = new(null);
        foreach (SettledGroup group in groups)
        {
            byte[] bytes = serializer.ToBinary(new GroupSettled(group with { Epoch = 0 }));
            _weights = Convert.ToHexStringLower(SHA256.HashData([.. Encoding.ASCII.GetBytes(_weights), .. bytes]));
        }

        _weights = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_weights} {_rate}"))));
        _version++;
        return LearnerFixtures.Metrics(_version);
    }

    public PolicySnapshot TakeSnapshot(long epoch) => new(epoch, Version, _weights, ImmutableDictionary<string, TorchSharp.torch.Tensor>.Empty);

    public string SaveCheckpoint(string folder)
    {
        BeforeSave();
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "weights"), $"{_version} {_weights}");
        return _weights;
    }

    public void LoadCheckpoint(string folder)
    {
        string path = Path.Combine(folder, "weights");
        string[] parts = File.Exists(path) ? File.ReadAllText(path).Split(' ') : [];
        if (parts.Length != 2)
        {
            _weights = "half loaded";
            throw new InvalidCheckpointException($"{path} is damaged");
        }

        (_version, _weights) = (int.Parse(parts[0], null), parts[1]);
    }

    public EvaluationResult Evaluate() => new(Version, [new LevelAccuracy("easy", 10, 0.5)]);

    public void Dispose()
    {
    }
}
