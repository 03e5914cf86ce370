using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Verification;
using TorchSharp;
using TorchSharp.Modules;
using static Ghpo.Inspection.RunEvents;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Reporting;

/// <summary>
/// Scalars for TensorBoard: <c>rollout/…</c>, <c>train/…</c>, <c>hints/…</c> against the step, <c>held_out/…</c> against the version. A share of nothing is written
/// as 0, because a curve without its zeros tells another story; what was not measured in a step is left out.
/// </summary>
internal sealed class TensorBoardLog(string folder, HintSettings hints) : IRunObserver
{
    /// <summary>Hint ratios at which groups may settle or have.</summary>
    private readonly SortedSet<double> _levels = [0, .. hints.Strategy switch
    {
        HintStrategy.None => [],
        HintStrategy.Fixed => [hints.FixedRatio],
        _ => hints.Levels,
    }];

    private SummaryWriter? _writer;

    public void Observe(object runEvent, RunProgress progress)
    {
        switch (runEvent)
        {
            case StepCompleted completed:
                Write(completed.Report);
                break;
            case PolicyMeasured measured:
                Write(measured.Result);
                break;
        }
    }

    public void Dispose()
    {
    }

    private void Write(StepReport step)
    {
        void Scalar(string tag, double? value)
        {
            if (value is { } number)
            {
                Writer().add_scalar(tag, (float)number, step.Step);
            }
        }

        Scalar("rollout/reward", step.MeanReward);
        Scalar("rollout/accuracy", step.Accuracy);
        Scalar("rollout/accuracy_unhinted", step.UnhintedAccuracy);
        Scalar("rollout/accuracy_hinted", step.HintedAccuracy);
        Scalar("rollout/first_attempt_solved", step.FirstAttemptSolved);
        Scalar("rollout/format", step.FormatShare);
        Scalar("rollout/completion_tokens", step.MeanCompletionTokens);
        Scalar("rollout/tokens", step.RolloutTokens);
        Scalar("rollout/extra_tokens", step.ExtraTokens);
        Scalar("rollout/tokens_per_second", step.RolloutTokensPerSecond());
        Scalar("rollout/staleness_mean", step.Origin?.MeanStaleness);
        Scalar("rollout/staleness_most", step.Origin?.MostStaleness);
        Scalar("rollout/workers", step.Origin?.Workers);
        foreach (Verdict verdict in Enum.GetValues<Verdict>())
        {
            int samples = step.Verdicts.FirstOrDefault(count => count.Verdict == verdict)?.Samples ?? 0;
            Scalar($"rollout/verdict_{verdict}", (double)samples / Math.Max(1, step.Samples));
        }

        StepMetrics learning = step.Learning;
        Scalar("train/loss", learning.Loss);
        Scalar("train/learning_rate", learning.LearningRate);
        Scalar("train/gradient_norm", learning.GradientNorm);
        // Without a trained token there is nothing that they could be of.
        bool trained = learning.ProcessedTokens > 0;
        Scalar("train/entropy", step.Entropy());
        Scalar("train/kl", trained ? learning.Kl : null);
        Scalar("train/clip_fraction", trained ? learning.ClipFraction : null);
        Scalar("train/zero_advantage_share", learning.ZeroAdvantageShare);
        Scalar("train/trained_tokens", learning.TrainedTokens);
        Scalar("train/tokens_per_second", step.LearnerTokensPerSecond());
        Scalar("train/step_seconds", step.StepSeconds);

        double groups = Math.Max(1, step.Groups);
        _levels.UnionWith(step.Settled.Select(settled => settled.HintRatio));
        foreach (double level in _levels)
        {
            int settled = step.Settled.FirstOrDefault(one => one.HintRatio == level)?.Groups ?? 0;
            Scalar($"hints/settled_at_{Percent(level).Replace(" %", "", StringComparison.Ordinal)}", settled / groups);
        }

        Scalar("hints/unsolved", step.Unsolved / groups);
        Scalar("hints/no_solution", step.NoSolution / groups);
        Scalar("hints/unjudged", step.Unjudged / groups);
        Scalar("hints/shortened", step.HintsShortened / groups);
    }

    private void Write(EvaluationResult result)
    {
        Writer().add_scalar("held_out/accuracy", (float)result.Accuracy, result.Version.Value);
        foreach (LevelAccuracy level in result.Levels)
        {
            Writer().add_scalar($"held_out/level_{level.Level}", (float)level.Accuracy, result.Version.Value);
        }
    }

    /// <summary>Made at the first scalar, so that a run that ends before it leaves no empty event file.</summary>
    private SummaryWriter Writer() => _writer ??= torch.utils.tensorboard.SummaryWriter(folder, createRunName: false);
}
