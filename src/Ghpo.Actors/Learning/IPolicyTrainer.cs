using Ghpo.Policy;
using Ghpo.Rollout;

namespace Ghpo.Learning;

/// <summary>
/// The fold: weights and optimizer state, moved by one step's groups at a time. Not thread-safe: one owner thread calls everything.
/// The same groups in the same order from the same state give the same bits (CPU).
/// </summary>
public interface IPolicyTrainer : IDisposable
{
    /// <summary>Number of steps folded since the base model.</summary>
    PolicyVersion Version { get; }

    /// <summary>Learns the steps from the next one on with these settings, until told otherwise.</summary>
    /// <param name="totalSteps">S of the learning-rate schedule.</param>
    void Use(LearningSettings learning, int totalSteps);

    /// <summary>Called on the owner's thread between the parts of long work, with the parts done and all of them. A trainer without parts never does.</summary>
    Action<int, int>? Progress { get => null; set { } }

    /// <summary>Folds one step's groups in. They must be sorted by <c>GroupId</c>.</summary>
    StepMetrics Train(IReadOnlyList<SettledGroup> groups);

    /// <summary>Copies the current weights.</summary>
    PolicySnapshot TakeSnapshot(long epoch);

    /// <summary>Writes weights (Hugging Face layout), optimizer.safetensors and state.json: aside, fsynced, then renamed to <paramref name="folder"/>.</summary>
    /// <returns>SHA-256 over the files' hashes, in lower-case hex.</returns>
    string SaveCheckpoint(string folder);

    /// <summary>Replaces weights, optimizer state and version by a checkpoint's, after checking every file against its recorded hash.</summary>
    /// <exception cref="InvalidCheckpointException">A file is missing, truncated or altered; names it.</exception>
    void LoadCheckpoint(string folder);

    /// <summary>Accuracy of the current weights on the held-out problems.</summary>
    EvaluationResult Evaluate();
}

/// <summary>A checkpoint's file is missing, truncated or altered.</summary>
public sealed class InvalidCheckpointException(string message) : Exception(message);

/// <summary>What the learner measured in one step.</summary>
/// <param name="GradientNorm">L2 norm before clipping.</param>
/// <param name="Entropy">Mean entropy of the policy over trained tokens, nats.</param>
/// <param name="Kl">Mean k3 estimate against the reference, 0 without one.</param>
/// <param name="ClipFraction">Share of trained tokens whose ratio was clipped.</param>
/// <param name="ZeroAdvantageShare">Share of groups whose advantages are all zero.</param>
/// <param name="TrainedTokens">Completion tokens that entered the loss.</param>
/// <param name="ProcessedTokens">Prompt and completion tokens passed through the model, padding left out.</param>
/// <param name="Seconds">Time spent in the step on the learner's thread.</param>
public sealed record StepMetrics(
    double Loss,
    double LearningRate,
    double GradientNorm,
    double Entropy,
    double Kl,
    double ClipFraction,
    double ZeroAdvantageShare,
    long TrainedTokens,
    long ProcessedTokens,
    double Seconds);

/// <summary>Held-out accuracy. Levels in the order of the data set.</summary>
public sealed record EvaluationResult(PolicyVersion Version, IReadOnlyList<LevelAccuracy> Levels)
{
    public int Problems => Levels.Sum(level => level.Problems);

    public double Accuracy => Problems == 0 ? 0 : Levels.Sum(level => level.Accuracy * level.Problems) / Problems;
}

/// <summary>Mean share of correct answers over the problems of one difficulty.</summary>
public sealed record LevelAccuracy(string Level, int Problems, double Accuracy);
