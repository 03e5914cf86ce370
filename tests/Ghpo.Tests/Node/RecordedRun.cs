using Akka.Actor;
using Akka.Event;
using Akka.Hosting;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Node.Runs;
using Ghpo.Rollout;
using Ghpo.Verification;
using Microsoft.Extensions.DependencyInjection;
using static Ghpo.Inspection.RunEvents;

namespace Ghpo.Tests.Node;

/// <summary>A pipeline that plays events as a run would tell them.</summary>
internal static class RecordedRun
{
    public static StepReport Step(int step) => new(
        step, new PolicyVersion(step + 1), Epoch: 1, Groups: 32, Samples: 256, MeanReward: 0.25 + 0.01 * step, Accuracy: 0.25 + 0.01 * step, FirstAttemptSolved: 0.5,
        UnhintedAccuracy: 0.5, HintedAccuracy: step == 0 ? null : 0.125, FormatShare: 1,
        Settled: [new SettledAt(0, 16), new SettledAt(0.25, 4), new SettledAt(0.5, 2), new SettledAt(0.75, 8)], Unsolved: 2, NoSolution: 0, Unjudged: 0, HintsShortened: 1,
        Verdicts: [new VerdictCount(Verdict.Correct, 64), new VerdictCount(Verdict.Wrong, 192)],
        RolloutTokens: 12_000, ExtraTokens: 4_000, MeanCompletionTokens: 31.25, TotalRolloutTokens: 12_000L * (step + 1), RolloutSeconds: 2, StepSeconds: 3,
        new StepMetrics(Loss: -0.001, LearningRate: 1e-4, GradientNorm: 0.5, Entropy: 0.75, Kl: 0, ClipFraction: 0, ZeroAdvantageShare: 0.5, TrainedTokens: 8_000, ProcessedTokens: 16_000, Seconds: 0.8),
        new StepOrigin([new LevelAccuracy("2", 16, 0.5), new LevelAccuracy("10", 16, 0.01 * step)], MeanStaleness: 0.25, MostStaleness: 1, Workers: 2));

    public static EvaluationResult Evaluation(int version, double accuracy) => new(
        new PolicyVersion(version), [new LevelAccuracy("1", 100, Math.Min(1, accuracy + 0.25)), new LevelAccuracy("8", 100, Math.Max(0, accuracy - 0.25))]);

    /// <summary>What a run's learner would have journalled.</summary>
    public static IEnumerable<object> Events(int steps) =>
    [
        new LearnerProtocol.EpochStarted(1, DateTimeOffset.UnixEpoch),
        new LearnerProtocol.PolicyEvaluated(Evaluation(0, 0.25)),
        .. Enumerable.Range(0, steps).Select(step => new LearnerProtocol.StepCommitted(step, new PolicyVersion(step + 1), $"hash{step}", Step(step))),
        new LearnerProtocol.PolicyEvaluated(Evaluation(steps, 0.5)),
    ];

    /// <param name="end">How it ends; null waits for the request to stop.</param>
    public static RunPipeline Pipeline(RunFolder folder, int steps, RunOutcome? end, string? reason = null) => new(
        akka => akka.StartActors((system, registry) => registry.Register<Player>(system.ActorOf(Props.Create(() => new Player(folder, steps, end, reason)), "player"))),
        host => host.Services.GetRequiredService<IRequiredActor<Player>>().ActorRef.Tell("stop"));

    internal sealed class Player : ReceiveActor
    {
        private readonly RunFolder _folder;
        private readonly int _steps;

        public Player(RunFolder folder, int steps, RunOutcome? end, string? reason)
        {
            _folder = folder;
            _steps = steps;
            Receive<string>(_ => Publish(new RunEnded(RunOutcome.Stopped, steps, "on request", null)));
            Receive<RunOutcome>(outcome => Publish(new RunEnded(outcome, steps, reason, ModelFolder: null)));
            if (end is { } known)
            {
                Self.Tell(known);
            }
        }

        protected override void PreStart()
        {
            Publish(new RunStarted(_folder.Name, _folder.Root, 0, _steps, 0, 6000, 200));
            Publish(new PolicyMeasured(Evaluation(0, 0.25)));
            for (int step = 0; step < _steps; step++)
            {
                Publish(new PipelineProgress(step, 3, 32, "sampling", 12_000L * step, [new StageDepth("rollout", 12, 64, 0)]));
                Publish(new StepCompleted(Step(step)));
            }

            Context.GetLogger().Warning("[{1}] comes after {0} {{brace}}", "first", "second");
            Publish(new CheckpointWritten(_steps, "checkpoints/last"));
            Publish(new PolicyMeasured(Evaluation(_steps, 0.5)));
        }

        /// <summary>By then everything told has been seen: a journal that holds steps when a run begins is one that goes on.</summary>
        protected override void PostStop()
        {
            if (!File.Exists(_folder.Journal))
            {
                JournalFile.Write(_folder.Journal, Events(_steps));
            }
        }

        private static void Publish(object runEvent) => Context.System.EventStream.Publish(runEvent);
    }
}
