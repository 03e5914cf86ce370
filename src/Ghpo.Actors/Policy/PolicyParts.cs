using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Policy;

/// <summary>The weights of a policy that is a model and an adapter: what travels where the model is there already.</summary>
/// <param name="Adapter">A and B under PEFT's names; of the snapshot's own.</param>
/// <param name="Scale">s = α / r.</param>
public sealed record PolicyParts(PolicyBase Base, IReadOnlyDictionary<string, Tensor> Adapter, double Scale)
{
    /// <summary>The whole policy's weights, for the caller to dispose: the same bits wherever they are computed (<see cref="LoraMerge"/>).</summary>
    public Dictionary<string, Tensor> Merged() =>
        Base.Weights.ToDictionary(weight => weight.Key, weight => LoraMerge.Merged(weight.Key, weight.Value, Adapter, Scale), StringComparer.Ordinal);
}

/// <summary>Weights that do not change in a run. They belong to the trainer, and are read on its thread alone, while it lives.</summary>
public sealed class PolicyBase(IReadOnlyDictionary<string, Tensor> weights)
{
    private string? _hash;

    public IReadOnlyDictionary<string, Tensor> Weights { get; } = weights;

    /// <summary>Their <see cref="PolicyHash"/>, computed when it is first asked for.</summary>
    public string Hash => _hash ??= PolicyHash.Of(Weights);
}
