using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2), t counted from 1:
/// <code>
///   θ ← θ − η λ θ                                    matrices only; gains and biases do not decay
///   m ← β1 m + (1 − β1) g
///   v ← β2 v + (1 − β2) g²
///   θ ← θ − η · (m / (1 − β1^t)) / (√(v / (1 − β2^t)) + ε)
/// </code>
/// Its state is plain tensors by name, so it can be saved and restored bit for bit. The moments are float32. A parameter of another type has
/// a float32 master copy that is updated in its place: in bfloat16 a step of 1e-6 would round to nothing.
/// </summary>
public sealed class AdamWOptimizer : IDisposable
{
    private readonly List<Slot> _slots = [];
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly double _decay;

    public AdamWOptimizer(IEnumerable<(string Name, Parameter Parameter)> parameters, double beta1, double beta2, double epsilon, double decay)
    {
        _beta1 = beta1;
        _beta2 = beta2;
        _epsilon = epsilon;
        _decay = decay;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach ((string name, Parameter parameter) in parameters)
        {
            bool single = parameter.dtype == ScalarType.Float32;
            _slots.Add(new Slot(
                name,
                parameter,
                zeros_like(parameter, ScalarType.Float32).DetachFromDisposeScope(),
                zeros_like(parameter, ScalarType.Float32).DetachFromDisposeScope(),
                single ? null : parameter.detach().to(ScalarType.Float32).DetachFromDisposeScope()));
        }
    }

    /// <summary>t: steps taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Moves every parameter by its gradient; a missing gradient counts as zero, so that momentum goes on.</summary>
    /// <param name="rate">η.</param>
    public void Step(double rate)
    {
        Steps++;
        double correction1 = 1 - Math.Pow(_beta1, Steps);
        double correction2 = Math.Sqrt(1 - Math.Pow(_beta2, Steps));
        using var noGradient = no_grad();
        foreach (Slot slot in _slots)
        {
            using var scope = NewDisposeScope();
            Tensor weight = slot.Master ?? slot.Parameter;
            Tensor gradient = (slot.Parameter.grad ?? zeros_like(slot.Parameter)).to(ScalarType.Float32);
            if (_decay > 0 && weight.dim() > 1)
            {
                weight.mul_(1 - (rate * _decay));
            }

            slot.Mean.mul_(_beta1).add_(gradient, alpha: 1 - _beta1);
            slot.Square.mul_(_beta2).addcmul_(gradient, gradient, value: 1 - _beta2);
            Tensor denominator = slot.Square.sqrt().div_(correction2).add_(_epsilon);
            weight.addcdiv_(slot.Mean, denominator, value: -rate / correction1);
            if (slot.Master is not null)
            {
                slot.Parameter.copy_(slot.Master);
            }
        }
    }

    /// <summary>The live state tensors by name. They change with the next step.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State()
    {
        foreach (Slot slot in _slots)
        {
            yield return KeyValuePair.Create($"exp_avg.{slot.Name}", slot.Mean);
            yield return KeyValuePair.Create($"exp_avg_sq.{slot.Name}", slot.Square);
            if (slot.Master is not null)
            {
                yield return KeyValuePair.Create($"master.{slot.Name}", slot.Master);
            }
        }
    }

    /// <summary>Says that <see cref="State"/>'s tensors have been overwritten with those of a run that took so many steps.</summary>
    public void Resume(int steps) => Steps = steps;

    public void Dispose()
    {
        foreach (Slot slot in _slots)
        {
            slot.Mean.Dispose();
            slot.Square.Dispose();
            slot.Master?.Dispose();
        }
    }

    private sealed record Slot(string Name, Parameter Parameter, Tensor Mean, Tensor Square, Tensor? Master);
}
