using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Models.Simd;
using TorchSharp;
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
/// Its state is plain tensors by name, so it can be saved and restored bit for bit. The moments are float32, or bfloat16 rounded at random by t and the
/// parameter's place in the list, so that a resumed run rounds as the uninterrupted one. A parameter of another type than float32 has a float32 master copy that
/// is updated in its place: in bfloat16 a step of 1e-6 would round to nothing. On a CPU with AVX-512 a step is one pass over memory (<see cref="AdamWKernel{TWeight,TMoment}"/>).
/// </summary>
public sealed class AdamWOptimizer : IDisposable
{
    /// <summary>Elements of an item of work.</summary>
    private const long ItemElements = 1 << 15;

    private readonly List<Slot> _slots = [];
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly double _decay;
    private readonly ScalarType _moments;

    /// <param name="moments">Type of m and v.</param>
    /// <exception cref="UserErrorException">Moments in bfloat16 where the processor's own kernel does not run.</exception>
    public AdamWOptimizer(
        IEnumerable<(string Name, Parameter Parameter)> parameters, double beta1, double beta2, double epsilon, double decay, ComputeType moments = ComputeType.Float32)
    {
        _beta1 = beta1;
        _beta2 = beta2;
        _epsilon = epsilon;
        _decay = decay;
        _moments = moments.Scalar();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach ((string name, Parameter parameter) in parameters)
        {
            if (moments != ComputeType.Float32 && !HasKernel(parameter))
            {
                throw new UserErrorException("learning.optimizer-state = bfloat16 needs model.device = cpu and a processor with AVX-512; set it to float32.");
            }

            bool single = parameter.dtype == ScalarType.Float32;
            _slots.Add(new Slot(
                name,
                parameter,
                zeros_like(parameter, _moments).DetachFromDisposeScope(),
                zeros_like(parameter, _moments).DetachFromDisposeScope(),
                single ? null : parameter.detach().to(ScalarType.Float32).DetachFromDisposeScope()));
        }
    }

    /// <summary>t: steps taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Threads of a step, not owned; null: the caller's alone. With any number of them the results are the same bits.</summary>
    internal Crew? Crew { get; set; }

    /// <summary>Moves every parameter by its gradient; a missing gradient counts as zero, so that momentum goes on.</summary>
    /// <param name="rate">η.</param>
    public void Step(double rate)
    {
        Steps++;
        double correction1 = 1 - Math.Pow(_beta1, Steps);
        double correction2 = Math.Sqrt(1 - Math.Pow(_beta2, Steps));
        using var noGradient = no_grad();
        for (int index = 0; index < _slots.Count; index++)
        {
            using var scope = NewDisposeScope();
            Slot slot = _slots[index];
            Tensor gradient = slot.Parameter.grad ?? zeros_like(slot.Parameter);
            double decay = slot.Parameter.dim() > 1 ? rate * _decay : 0;
            if (HasKernel(slot.Parameter))
            {
                var constants = new AdamWConstants(
                    (float)_beta1, (float)_beta2, (float)_epsilon, (float)(1 - decay), (float)(rate / correction1), (float)(1 / correction2));
                StepByKernel(slot, gradient.contiguous(), constants, Seed(Steps, index));
            }
            else
            {
                StepByTorch(slot, gradient.to(ScalarType.Float32), decay, rate, correction1, correction2);
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

    private static bool HasKernel(Tensor parameter) =>
        SimdDecoder.IsSupported && parameter.device_type == DeviceType.CPU && parameter.dtype is ScalarType.Float32 or ScalarType.BFloat16 && parameter.is_contiguous();

    private void StepByTorch(Slot slot, Tensor gradient, double decay, double rate, double correction1, double correction2)
    {
        Tensor weight = slot.Master ?? slot.Parameter;
        if (decay > 0)
        {
            weight.mul_(1 - decay);
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

    private void StepByKernel(Slot slot, Tensor gradient, AdamWConstants constants, uint seed)
    {
        var memory = new AdamWMemory(
            TensorMemory.Address(slot.Parameter),
            TensorMemory.Address(slot.Master ?? slot.Parameter),
            TensorMemory.Address(gradient),
            TensorMemory.Address(slot.Mean),
            TensorMemory.Address(slot.Square));
        long count = slot.Parameter.NumberOfElements;
        int items = checked((int)((count + ItemElements - 1) / ItemElements));
        Action<int, int> work = (item, _) =>
        {
            long start = item * ItemElements;
            long elements = Math.Min(ItemElements, count - start);
            switch (slot.Master is not null, _moments == ScalarType.BFloat16)
            {
                case (false, false):
                    AdamWKernel<PackedSingle, PackedSingle>.Run(memory, start, elements, constants, seed);
                    break;
                case (false, true):
                    AdamWKernel<PackedSingle, PackedBrain>.Run(memory, start, elements, constants, seed);
                    break;
                case (true, false):
                    AdamWKernel<PackedBrain, PackedSingle>.Run(memory, start, elements, constants, seed);
                    break;
                case (true, true):
                    AdamWKernel<PackedBrain, PackedBrain>.Run(memory, start, elements, constants, seed);
                    break;
            }
        };
        if (Crew is null)
        {
            for (int item = 0; item < items; item++)
            {
                work(item, 0);
            }
        }
        else
        {
            Crew.Run(items, work);
        }
    }

    /// <summary>What the rounding of a parameter's moments in a step starts from.</summary>
    private static uint Seed(int step, int index) => (uint)step * 0x9E3779B1u ^ (uint)index * 0x85EBCA77u;

    private sealed record Slot(string Name, Parameter Parameter, Tensor Mean, Tensor Square, Tensor? Master);
}
