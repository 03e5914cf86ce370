using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// Rows as tensors, with what the objective needs of each of their N completion tokens. The tensors belong to the dispose scope at hand.
/// </summary>
/// <param name="Advantage">Â, float32 [N].</param>
/// <param name="Weight">a_i of the loss, float32 [N].</param>
/// <param name="Sampler">Log-probability that the sampler saw, float32 [N].</param>
/// <param name="OldFromSampler">bool [N]; null if false everywhere.</param>
/// <param name="Stale">bool [N]; null if false everywhere.</param>
internal sealed record MicroBatch(
    TokenBatch Tokens, Tensor Advantage, Tensor Weight, Tensor Sampler, Tensor? OldFromSampler, Tensor? Stale)
{
    /// <param name="weights">a_i of each of <paramref name="rows"/>.</param>
    public static MicroBatch Of(IReadOnlyList<TrainingRow> rows, IReadOnlyList<double> weights, Device device)
    {
        return new MicroBatch(
            TokenBatch.Of([.. rows.Select(row => new TokenSequence(row.Prompt, row.Completion.Tokens))], device),
            tensor(EachToken(row => (float)row.Advantage), device: device),
            tensor([.. rows.SelectMany((row, i) => Enumerable.Repeat((float)weights[i], row.Tokens))], device: device),
            tensor([.. rows.SelectMany(row => row.Completion.LogProbs)], device: device),
            Mask(row => row.Old == OldPolicy.Sampler),
            Mask(row => row.CorrectsStaleness));

        T[] EachToken<T>(Func<TrainingRow, T> value) => [.. rows.SelectMany(row => Enumerable.Repeat(value(row), row.Tokens))];

        Tensor? Mask(Func<TrainingRow, bool> holds) => rows.Any(holds) ? tensor(EachToken(holds), device: device) : null;
    }
}
