namespace Ghpo.Learning;

/// <summary>
/// The gradient is NaN or infinite. The optimizer step that it was meant for was not taken; weights and moments are those before it.
/// </summary>
/// <param name="step">Step that was to be folded, from 0.</param>
/// <param name="iteration">Pass over the step's batch, from 0. Above 0, earlier passes of the same step have moved the weights.</param>
/// <param name="gradientNorm">What the norm came out as.</param>
public sealed class DivergedException(int step, int iteration, double gradientNorm)
    : Exception(
        $"Training diverged at step {step}, iteration {iteration}: the gradient norm is {gradientNorm}. "
        + "Resume from the last checkpoint with a lower learning.rate or a lower learning.max-gradient-norm.")
{
    public int Step { get; } = step;

    public int Iteration { get; } = iteration;

    public double GradientNorm { get; } = gradientNorm;
}
