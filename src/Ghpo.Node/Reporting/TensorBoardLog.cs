using Ghpo.Inspection;
using Ghpo.Learning;
using TorchSharp;
using TorchSharp.Modules;
using static Ghpo.Inspection.RunEvents;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Reporting;

/// <summary>Scalars for TensorBoard: <c>rollout/…</c>, <c>train/…</c>, <c>hints/…</c> against the step, <c>held_out/…</c> against the version.</summary>
internal sealed class TensorBoardLog(string folder) : IRunObserver
{
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
        foreach (VerdictCount verdict in step.Verdicts)
        {
            Scalar($"rollout/verdict_{verdict.Verdict}", (double)verdict.Samples / Math.Max(1, step.Samples));
        }

        StepMetrics learning = step.Learning;
        Scalar("train/loss", learning.Loss);
        Scalar("train/learning_rate", learning.LearningRate);
        Scalar("train/gradient_norm", learning.GradientNorm);
        Scalar("train/entropy", learning.Entropy);
        Scalar("train/kl", learning.Kl);
        Scalar("train/clip_fraction", learning.ClipFraction);
        Scalar("train/zero_advantage_share", learning.ZeroAdvantageShare);
        Scalar("train/trained_tokens", learning.TrainedTokens);
        Scalar("train/tokens_per_second", step.LearnerTokensPerSecond());
        Scalar("train/step_seconds", step.StepSeconds);

        double groups = Math.Max(1, step.Groups);
        foreach (SettledAt settled in step.Settled)
        {
            Scalar($"hints/settled_at_{Percent(settled.HintRatio).Replace(" %", "", StringComparison.Ordinal)}", settled.Groups / groups);
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
