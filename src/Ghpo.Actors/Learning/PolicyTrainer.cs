using System.Diagnostics;
using Ghpo.Learning.Losses;
using Ghpo.Models;
using Ghpo.Models.Simd;
using Ghpo.Policy;
using Ghpo.Rollout;
using Ghpo.Verification;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// Policy-gradient training of a decoder by one step's groups at a time:
/// <code>
///   groups ─▶ rows (context, advantage, ratio) ─▶ token weights of the loss ─▶ micro-batches ─▶ gradient ─▶ clip ─▶ AdamW
/// </code>
/// Rows that cannot move the weights (zero advantage, no KL term) are not run through the model; they still count in the loss's
/// weights. A step without any gradient is a step like the others: Adam goes on by its momentum, as reference trainers do.
/// The owner thread is to use <c>learning.threads</c> torch threads; with any number of them the same groups give the same bits.
/// With LoRA the adapters alone are trained and checkpointed; what is published is the model with them merged in, and its parts beside it.
/// <para>Owns the model, its frozen copy if β &gt; 0, the adapters, the optimizer, and the evaluation.</para>
/// </summary>
public sealed class PolicyTrainer : IPolicyTrainer
{
    private const string WeightsFile = "model.safetensors";
    private const string OptimizerFile = "optimizer.safetensors";

    /// <summary>A of every adapter is the same in each run: a replay begins where the run began.</summary>
    private const ulong AdapterSeed = 0x60A;

    private readonly LoadedModel _model;
    private readonly RewardSettings _rewards;
    private readonly double _temperature;
    private readonly int _maxNewTokens;
    private readonly HeldOutEvaluation? _evaluation;
    private readonly (string Name, Parameter Parameter)[] _named;
    private readonly Parameter[] _parameters;
    private readonly LoraAdapters? _lora;
    private readonly PolicyBase _base;
    private readonly AdamWOptimizer _optimizer;
    private readonly Crew _crew;
    private LearningSettings _learning;
    private LearningRate _rate;
    private TokenObjective _objective;
    private Decoder? _reference;

    /// <param name="model">The starting policy, which is also the reference of the KL term.</param>
    /// <param name="temperature">τ that answers are sampled with.</param>
    /// <param name="maxNewTokens">L_max of the dr_grpo loss.</param>
    /// <param name="totalSteps">S of the learning-rate schedule.</param>
    /// <param name="evaluation">Null: <see cref="Evaluate"/> is not to be called.</param>
    public PolicyTrainer(
        LoadedModel model,
        LearningSettings learning,
        RewardSettings rewards,
        double temperature,
        int maxNewTokens,
        int totalSteps,
        HeldOutEvaluation? evaluation)
    {
        _model = model;
        _learning = learning;
        _rewards = rewards;
        _temperature = temperature;
        _maxNewTokens = maxNewTokens;
        _evaluation = evaluation;
        (_rate, _objective) = MadeOf(learning, totalSteps);
        model.Decoder.Checkpointing = learning.GradientCheckpointing;
        _lora = learning.Lora.Rank == 0 ? null : new LoraAdapters(model.Decoder, learning.Lora.Rank, learning.Lora.Alpha, learning.Lora.Targets, AdapterSeed);
        _base = new PolicyBase(model.Decoder.named_parameters().ToDictionary(named => named.name, named => (Tensor)named.parameter));
        IEnumerable<(string Name, Parameter Parameter)> trained = _lora?.Named() ?? model.Decoder.named_parameters();
        _named = [.. trained.OrderBy(named => named.Name, StringComparer.Ordinal)];
        _parameters = [.. _named.Select(named => named.Parameter)];
        _crew = new Crew(learning.Threads);
        model.Decoder.Crew = _crew;
        _optimizer = new AdamWOptimizer(_named, learning.AdamBeta1, learning.AdamBeta2, learning.AdamEpsilon, learning.WeightDecay, learning.OptimizerState) { Crew = _crew };
        _reference = learning.KlBeta > 0 ? Frozen(model.Decoder) : null;
    }

    public PolicyVersion Version { get; private set; }

    public Action<int, int>? Progress { get; set; }

    private Device Device => _parameters[0].device;

    public void Use(LearningSettings learning, int totalSteps)
    {
        // The owner thread has the number of threads that it was made with.
        _learning = learning with { Threads = _learning.Threads };
        (_rate, _objective) = MadeOf(learning, totalSteps);
        if (learning.KlBeta > 0 && _reference is null)
        {
            // The weights have moved since the start: the starting policy is read again.
            using LoadedModel start = ModelFolder.Load(_model.Folder, Device, _model.Decoder.Dtype);
            _reference = Frozen(start.Decoder);
        }
    }

    /// <exception cref="DivergedException">The gradient is not finite.</exception>
    public StepMetrics Train(IReadOnlyList<SettledGroup> groups)
    {
        long started = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        TrainingBatch batch = TrainingBatch.Of(groups, Version, _learning, _rewards);
        double[] weights = LossWeights.Of(_learning.Loss, batch.Rows, _maxNewTokens);
        int[] moving = [.. Enumerable.Range(0, batch.Rows.Count).Where(i => weights[i] > 0 && Moves(batch.Rows[i]))];
        IReadOnlyList<int[]> plan = MicroBatches.Pack([.. moving.Select(i => batch.Rows[i].Length)], _learning.MicroBatchTokens);
        var microBatches = plan
            .Select(part => MicroBatch.Of([.. part.Select(i => batch.Rows[moving[i]])], [.. part.Select(i => weights[moving[i]])], Device))
            .ToArray();

        // With several passes over a batch, π_old is the policy before the first of them.
        Tensor[]? old = _learning.Iterations == 1
            ? null
            : [.. microBatches.Select(micro => TokenLogProbs.Constant(_model.Decoder, micro.Tokens, _temperature))];

        double rate = _rate.At(Version.Value);
        var sums = new StepSums();
        double norms = 0;
        for (int iteration = 0; iteration < _learning.Iterations; iteration++)
        {
            ZeroGradients();
            for (int m = 0; m < microBatches.Length; m++)
            {
                Accumulate(microBatches[m], old?[m], sums);
                Progress?.Invoke((iteration * microBatches.Length) + m + 1, _learning.Iterations * microBatches.Length);
            }

            double norm = Gradients.ClipNorm(_parameters, _learning.MaxGradientNorm);
            if (!double.IsFinite(norm))
            {
                ZeroGradients();
                throw new DivergedException(Version.Value, iteration, norm);
            }

            norms += norm;
            _optimizer.Step(rate);
        }

        ZeroGradients();
        Version = new PolicyVersion(Version.Value + 1);
        long trained = moving.Sum(i => (long)batch.Rows[i].Tokens);
        double passes = Math.Max(1, trained * _learning.Iterations);
        return new StepMetrics(
            Loss: sums.Loss / _learning.Iterations,
            LearningRate: rate,
            GradientNorm: norms / _learning.Iterations,
            Entropy: sums.Entropy / passes,
            Kl: sums.Kl / passes,
            ClipFraction: sums.Clipped / passes,
            ZeroAdvantageShare: batch.Groups == 0 ? 0 : (double)batch.ZeroAdvantageGroups / batch.Groups,
            TrainedTokens: trained,
            ProcessedTokens: moving.Sum(i => (long)batch.Rows[i].Length) * _learning.Iterations,
            Seconds: Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    public PolicySnapshot TakeSnapshot(long epoch)
    {
        if (_lora is null)
        {
            Dictionary<string, Tensor> weights = Copied();
            return new PolicySnapshot(epoch, Version, PolicyHash.Of(weights), weights);
        }

        var parts = new PolicyParts(_base, Copied(), _lora.Scale);
        Dictionary<string, Tensor> merged = parts.Merged();
        return new PolicySnapshot(epoch, Version, PolicyHash.Of(merged), merged) { Parts = parts };

        Dictionary<string, Tensor> Copied()
        {
            using var noGradient = no_grad();
            var copies = new Dictionary<string, Tensor>(StringComparer.Ordinal);
            foreach ((string name, Parameter parameter) in _named)
            {
                using var scope = NewDisposeScope();
                copies.Add(name, parameter.detach().cpu().clone().DetachFromDisposeScope());
            }

            return copies;
        }
    }

    public string SaveCheckpoint(string folder)
    {
        string digest = "";
        DurableFolder.Write(folder, partial =>
        {
            if (_lora is null)
            {
                ModelFolder.Save(partial, _model);
            }
            else
            {
                // The frozen weights are in their own folder.
                _lora.Save(partial, _model.Folder);
            }

            SafetensorsWriter.Write(Path.Combine(partial, OptimizerFile), _optimizer.State());
            digest = CheckpointState.Write(partial, Version.Value, _optimizer.Steps).Digest;
        });
        return digest;
    }

    public void LoadCheckpoint(string folder)
    {
        CheckpointState state = CheckpointState.ReadVerified(folder);
        using var weights = new CheckpointTensors(
            Path.Combine(folder, _lora is null ? WeightsFile : LoraAdapters.WeightsFile), _named.Select(named => KeyValuePair.Create(named.Name, (Tensor)named.Parameter)));
        using var moments = new CheckpointTensors(Path.Combine(folder, OptimizerFile), _optimizer.State());
        weights.CopyToTargets();
        moments.CopyToTargets();
        _optimizer.Resume(state.OptimizerSteps);
        Version = new PolicyVersion(state.Version);
    }

    public EvaluationResult Evaluate()
    {
        if (_evaluation is null)
        {
            throw new InvalidOperationException("This trainer was made without held-out problems.");
        }

        // The engine's results depend on nothing but its requests with one thread only.
        using PolicySnapshot snapshot = TakeSnapshot(epoch: 0);
        TorchThreads.UseOnThisThread(1);
        try
        {
            return _evaluation.Run(snapshot, Progress);
        }
        finally
        {
            TorchThreads.UseOnThisThread(_learning.Threads);
        }
    }

    public void Dispose()
    {
        _evaluation?.Dispose();
        _optimizer.Dispose();
        _reference?.Dispose();
        _lora?.Dispose();
        _model.Dispose();
        _crew.Dispose();
    }

    /// <summary>Adds a micro-batch's gradient to the parameters' and its measures to the sums.</summary>
    private void Accumulate(MicroBatch micro, Tensor? stepStart, StepSums sums)
    {
        using var scope = NewDisposeScope();
        (Tensor policy, Tensor entropySum) = TokenLogProbs.Of(_model.Decoder, micro.Tokens, _temperature);

        // One pass: π_old = π_θ, and r is 1 by construction rather than by two forward passes that happen to agree.
        Tensor learner = stepStart ?? policy.detach();
        Tensor old = micro.OldFromSampler is null ? learner : where(micro.OldFromSampler, micro.Sampler, learner);
        Tensor importance = micro.Stale is null
            ? ones_like(old)
            : TokenObjective.StalenessWeight(learner, micro.Sampler, micro.Stale, _learning.ImportanceCap);
        Tensor? reference = _reference is null ? null : TokenLogProbs.Constant(_reference, micro.Tokens, _temperature);

        TokenTerms terms = _objective.Of(policy, old, micro.Advantage, importance, reference);
        Tensor loss = (micro.Weight * terms.Objective).sum().neg();
        loss.backward();

        sums.Loss += loss.item<float>();
        sums.Entropy += entropySum.item<float>();
        sums.Kl += terms.Kl is null ? 0 : terms.Kl.detach().sum().item<float>();
        sums.Clipped += terms.Clipped.sum().item<long>();
    }

    private void ZeroGradients()
    {
        foreach (Parameter parameter in _parameters)
        {
            parameter.grad = null;
        }
    }

    private bool Moves(TrainingRow row) => row.Advantage != 0 || _learning.KlBeta > 0;

    private Decoder Frozen(Decoder start)
    {
        var frozen = new Decoder(_model.Config, start.Device, start.Dtype) { Crew = _crew };
        frozen.CopyFrom(start.named_parameters().ToDictionary(named => named.name, named => (Tensor)named.parameter), _model.Folder);
        return frozen;
    }

    private static (LearningRate Rate, TokenObjective Objective) MadeOf(LearningSettings learning, int totalSteps) => (
        new LearningRate(learning.Rate, learning.Schedule, learning.WarmUpRatio, totalSteps),
        new TokenObjective(learning.EpsilonLow, learning.EpsilonHigh, learning.KlBeta));

    private sealed class StepSums
    {
        public double Loss { get; set; }

        public double Entropy { get; set; }

        public double Kl { get; set; }

        public double Clipped { get; set; }
    }
}
