using Ghpo.Learning;
using Ghpo.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Node.Pretraining;

/// <summary>
/// Supervised next-token training from scratch, the loss on completion tokens alone: mean of −log π(token) over all completion tokens of a step.
/// AdamW with a short warm-up and a cosine to zero. The same options give the same bits on the same machine.
/// </summary>
internal sealed class SupervisedTrainer : IDisposable
{
    // Long sequences are rare: small micro-batches of like length waste little on padding.
    private const int MicroBatchTokens = 2048;
    private const double WarmUpRatio = 0.03;
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.98;
    private const double WeightDecay = 0.01;
    private const double MaxGradientNorm = 1.0;

    private readonly Decoder _decoder;
    private readonly Parameter[] _parameters;
    private readonly AdamWOptimizer _optimizer;
    private readonly LearningRate _rate;

    public SupervisedTrainer(Decoder decoder, double rate, int steps)
    {
        (string name, Parameter parameter)[] named = [.. decoder.named_parameters()];
        _decoder = decoder;
        _parameters = [.. named.Select(entry => entry.parameter)];
        _optimizer = new AdamWOptimizer(named, Beta1, Beta2, epsilon: 1e-8, WeightDecay);
        _rate = new LearningRate(rate, RateSchedule.Cosine, WarmUpRatio, steps);
    }

    /// <summary>Takes one optimizer step.</summary>
    /// <returns>The loss in nats a token, before the step.</returns>
    public double Step(IReadOnlyList<TokenSequence> sequences)
    {
        double tokens = sequences.Sum(sequence => sequence.Completion.Length);
        double loss = 0;
        _decoder.zero_grad();
        foreach (int[] part in MicroBatches.Pack([.. sequences.Select(sequence => sequence.Length)], MicroBatchTokens))
        {
            using var scope = NewDisposeScope();
            TokenBatch batch = TokenBatch.Of([.. part.Select(i => sequences[i])], _decoder.Device);
            Tensor partLoss = TokenLogProbs.Of(_decoder, batch, temperature: 1).LogProbs.sum() / -tokens;
            partLoss.backward();
            loss += partLoss.item<float>();
        }

        double norm = Gradients.ClipNorm(_parameters, MaxGradientNorm);
        if (!double.IsFinite(norm))
        {
            throw new DivergedException(_optimizer.Steps, iteration: 0, norm);
        }

        _optimizer.Step(_rate.At(_optimizer.Steps));
        return loss;
    }

    public void Dispose() => _optimizer.Dispose();
}
