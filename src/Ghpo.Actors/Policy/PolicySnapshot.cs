using Ghpo.Rollout;
using static TorchSharp.torch;

namespace Ghpo.Policy;

/// <summary>
/// One version of the weights, detached from the learner: later optimizer steps do not change it. Owns its tensors (float32 or bfloat16,
/// Hugging Face names). Hash is the SHA-256, in lower-case hex, of names, types, shapes and bytes in name order.
/// </summary>
public sealed class PolicySnapshot(long epoch, PolicyVersion version, string hash, IReadOnlyDictionary<string, Tensor> weights) : IDisposable
{
    public long Epoch { get; } = epoch;

    public PolicyVersion Version { get; } = version;

    public string Hash { get; } = hash;

    public IReadOnlyDictionary<string, Tensor> Weights { get; } = weights;

    /// <summary>The same weights as a model and an adapter, where they were made so; null: they are one piece.</summary>
    public PolicyParts? Parts { get; init; }

    public void Dispose()
    {
        foreach (Tensor weight in Weights.Values.Concat(Parts?.Adapter.Values ?? []))
        {
            weight.Dispose();
        }
    }
}
