using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Learning;

public static class Gradients
{
    /// <summary>
    /// Scales all gradients by min(1, max / (‖g‖ + 1e-6)), ‖g‖ being the L2 norm over all parameters together, in float32.
    /// Leaves them alone if max is 0 or the norm is not finite.
    /// </summary>
    /// <returns>‖g‖ before scaling; 0 where nothing has a gradient.</returns>
    public static double ClipNorm(IReadOnlyList<Parameter> parameters, double max)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor[] gradients = [.. parameters.Select(parameter => parameter.grad).OfType<Tensor>()];
        if (gradients.Length == 0)
        {
            return 0;
        }

        double norm = stack([.. gradients.Select(Norm)]).norm().item<float>();
        if (max > 0 && norm > max && double.IsFinite(norm))
        {
            foreach (Tensor gradient in gradients)
            {
                gradient.mul_(max / (norm + 1e-6));
            }
        }

        return norm;
    }

    /// <summary>A wide copy of a narrow gradient goes before the next one is made.</summary>
    private static Tensor Norm(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        return gradient.to(ScalarType.Float32).norm().MoveToOuterDisposeScope();
    }
}
