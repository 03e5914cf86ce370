using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Ghpo.Verification.Equivalence;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// The model work of a run without actors, streams and journal: the same settings, problems, prompts, seeds, engines, verifier, hint ladder and
/// trainer, called in a for-loop. With staleness 0 its weights are those of <c>ghpo train</c>, so it is what the actors' cost is measured
/// against.
/// <code>
///   plain-loop [--config FILE] [--set path=value]... [--workers N] [--save FOLDER]
/// </code>
/// </summary>
public static class PlainLoop
{
    public static int Run(string[] args)
    {
        var arguments = new Arguments("plain-loop", args, "--workers", "--save");
        GhpoSettings settings = arguments.Settings(arguments.Text("--workers") is { } workers ? [("rollout.workers", workers)] : []);
        Execute(settings, arguments.Text("--save"), Console.Out);
        return 0;
    }

    /// <param name="save">Folder to leave the model in; null for none.</param>
    public static MeasuredRun Execute(GhpoSettings settings, string? save, TextWriter log)
    {
        TorchThreads.UseOnThisThread(settings.Learning.Threads);
        Device device = Devices.Parse(settings.Model.Device);
        ScalarType dtype = settings.Model.Dtype == ComputeType.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        LoadedModel model = ModelFolder.Load(ModelFolder.Resolve(settings.Model.Path), device, dtype);
        var prompts = new PromptBuilder(PromptTemplate.Resolve(settings.Prompt.Template, model.Folder), model.Tokenizer, settings.Prompt, settings.Hints);
        ProblemSet problems = PromptBudget.Apply(ProblemSource.Load(settings.Data), prompts, settings.Prompt);
        var verifier = new AnswerVerifier(settings.Verification.Extraction, settings.Rewards.Format, new EquivalenceOptions(settings.Verification.Precision));
        var sampling = new SamplingOptions(
            settings.Rollout.Temperature, settings.Rollout.TopK, settings.Rollout.TopP, settings.Rollout.MaxNewTokens);
        GenerationEngine[] engines = [.. Enumerable.Range(0, settings.Rollout.Workers).Select(_ => Engine())];
        HeldOutEvaluation? evaluation = settings.Evaluation.Enabled && problems.HeldOut.Count > 0
            ? new HeldOutEvaluation(
                Engine(), model.Tokenizer, prompts, verifier, problems.HeldOut, settings.Evaluation, sampling, hintRatio: 0, settings.Run.Seed)
            : null;
        using var trainer = new PolicyTrainer(
            model, settings.Learning, settings.Rewards, settings.Rollout.Temperature, settings.Rollout.MaxNewTokens, settings.Run.Steps, evaluation);
        var rollout = new PlainRollout(settings, problems, model.Tokenizer, prompts, verifier, sampling, engines);

        long started = Stopwatch.GetTimestamp();
        if (evaluation is not null)
        {
            log.WriteLine(Line(trainer.Evaluate()));
        }

        var planner = new CurriculumPlanner(settings.Curriculum, settings.Run.Seed, [.. problems.Train.Select(problem => problem.Id)]);
        CurriculumState curriculum = CurriculumState.Empty;
        var levels = problems.Train.ToDictionary(problem => problem.Id, problem => problem.Level);
        var steps = new List<StepReport>();
        long tokens = 0;
        for (int step = 0; step < settings.Run.Steps && (settings.Run.TokenBudget == 0 || tokens < settings.Run.TokenBudget); step++)
        {
            long stepStarted = Stopwatch.GetTimestamp();
            CurriculumProtocol.StepPlanned plan = planner.Plan(curriculum);
            curriculum = curriculum.Apply(plan).Close(step);
            IReadOnlyList<SettledGroup> groups;
            using (PolicySnapshot policy = trainer.TakeSnapshot(epoch: 1))
            {
                groups = rollout.Settle(plan.Groups, policy);
            }

            double rolloutSeconds = Stopwatch.GetElapsedTime(stepStarted).TotalSeconds;
            StepMetrics learning = trainer.Train(groups);
            StepReport report = StepReports.Of(
                new StepContext(
                    step, trainer.Version, Epoch: 1, tokens, rolloutSeconds, Stopwatch.GetElapsedTime(stepStarted).TotalSeconds, settings.Rewards,
                    problem => levels.GetValueOrDefault(problem, ""), Workers: null),
                groups,
                learning);
            tokens = report.TotalRolloutTokens;
            steps.Add(report);
            log.WriteLine(Line(report));
            if (evaluation is not null && settings.Evaluation.EverySteps > 0 && (step + 1) % settings.Evaluation.EverySteps == 0
                && step + 1 < settings.Run.Steps)
            {
                log.WriteLine(Line(trainer.Evaluate()));
            }
        }

        if (evaluation is not null)
        {
            log.WriteLine(Line(trainer.Evaluate()));
        }

        using PolicySnapshot final = trainer.TakeSnapshot(epoch: 1);
        log.WriteLine(Invariant($"policy {final.Hash}, {tokens} rollout tokens, {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s in all"));
        if (save is not null)
        {
            ModelFolder.Save(save, model);
        }

        foreach (GenerationEngine engine in engines)
        {
            engine.Dispose();
        }

        return new MeasuredRun(steps, final.Hash);

        GenerationEngine Engine() => new(
            model.Config, device, dtype, model.StopTokens, settings.Rollout.Slots, settings.Prompt.MaxTokens + settings.Rollout.MaxNewTokens);
    }

    private static string Line(StepReport report) => Invariant(
        $"step {report.Step,4}  reward {report.MeanReward:0.000}  accuracy {report.Accuracy:0.000}  first {report.FirstAttemptSolved:0.00}  solved at {string.Join(' ', report.Settled.Select(at => Invariant($"{at.HintRatio:0.##}:{(double)at.Groups / report.Groups:0.00}")))}  unsolved {(double)report.Unsolved / report.Groups:0.00}  flat {report.Learning.ZeroAdvantageShare:0.00}  loss {report.Learning.Loss:0.0000}  norm {report.Learning.GradientNorm:0.000}  entropy {report.Learning.Entropy:0.000}  kl {report.Learning.Kl:0.0000}  tokens {report.RolloutTokens}  rollout {report.RolloutSeconds:0.00} s  learner {report.Learning.Seconds:0.00} s");

    private static string Line(EvaluationResult result) => Invariant(
        $"held out {result.Version}  {result.Accuracy:0.0000}  {string.Join(' ', result.Levels.Select(level => Invariant($"{level.Level}:{level.Accuracy:0.00}")))}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
