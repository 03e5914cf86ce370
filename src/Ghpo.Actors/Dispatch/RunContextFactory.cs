using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Ghpo.Verification.Equivalence;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Dispatch;

/// <summary>
/// Reads data and model and says how the run's models are made. Everything that a user may have got wrong is found here, before an actor
/// starts. The weights are read by the trainer on its own thread; engines get theirs as published policies.
/// </summary>
public static class RunContextFactory
{
    /// <summary>A run that goes on, with what users changed in it before and want to change now.</summary>
    /// <exception cref="UserErrorException">Data, model, device or prompt settings do not fit; says which and what to change.</exception>
    public static RunContext Create(string name, string folder, ControlTimeline journalled, ImmutableArray<ControlRequest> requests, TimeProvider time)
    {
        GhpoSettings inForce = requests.Aggregate(
            journalled.Newest, (settings, request) => LiveSettings.With(settings, new SettingOverride(request.Key, request.Value, request.Key)));
        RunContext run = Create(name, folder, inForce, time);
        EvaluationSettings evaluation = journalled.Started.Evaluation with { Enabled = run.Settings.Evaluation.Enabled };
        return run with { Started = journalled.Started with { Evaluation = evaluation }, Requests = requests };
    }

    /// <exception cref="UserErrorException">Data, model, device or prompt settings do not fit; says which and what to change.</exception>
    public static RunContext Create(string name, string folder, GhpoSettings settings, TimeProvider time)
    {
        Device device = Devices.Parse(settings.Model.Device);
        ScalarType dtype = settings.Model.Dtype.Scalar();
        ProblemSet loaded = ProblemSource.Load(settings.Data);
        string modelFolder = ModelFolder.Resolve(settings.Model.Path);

        ModelConfig config;
        ITokenizer tokenizer;
        IReadOnlyList<int> stopTokens;
        using (LoadedModel model = ModelFolder.Load(modelFolder, CPU, dtype))
        {
            // Read whole and thrown away: a damaged folder is an error of the start, not of an actor.
            (config, tokenizer, stopTokens) = (model.Config, model.Tokenizer, model.StopTokens);
            if (settings.Learning.Lora.Rank > 0)
            {
                using var lora = new LoraAdapters(model.Decoder, settings.Learning.Lora.Rank, settings.Learning.Lora.Alpha, settings.Learning.Lora.Targets, seed: 0);
            }

            if (settings.Run.Deterministic)
            {
                RequireDeterministicEngine(model, settings.Rollout, dtype);
            }
        }

        PromptTemplate template = PromptTemplate.Resolve(settings.Prompt.Template, modelFolder);
        var prompts = new PromptBuilder(template, tokenizer, settings.Prompt, settings.Hints);
        ProblemSet problems = PromptBudget.Apply(loaded, prompts, settings.Prompt);
        // Without held-out problems nobody can be asked to measure.
        bool evaluated = settings.Evaluation.Enabled && problems.HeldOut.Count > 0;
        GhpoSettings inForce = settings with { Evaluation = settings.Evaluation with { Enabled = evaluated } };

        var verifier = new AnswerVerifier(
            settings.Verification.Extraction, settings.Rewards.Format, new EquivalenceOptions(settings.Verification.Precision), IsolatedReward.Load(settings.Rewards.Own));
        int maxLength = settings.Prompt.MaxTokens + settings.Rollout.MaxNewTokens;
        GenerationEngine.RequirePositions(config, maxLength);

        IGenerationEngine Engine() => new GenerationEngine(config, device, dtype, stopTokens, settings.Rollout.Slots, maxLength, settings.Rollout.CacheBytes);

        IGenerationEngine WorkerEngine()
        {
            TorchThreads.UseOnThisThread(settings.Rollout.Threads);
            return Engine();
        }

        HeldOutEvaluation? Evaluation() => evaluated
            ? new HeldOutEvaluation(
                Engine(), tokenizer, prompts, verifier, problems.HeldOut, settings.Evaluation, SamplingOf(settings.Rollout), hintRatio: 0, settings.Run.Seed)
            : null;

        IPolicyTrainer Trainer() => CreateTrainer(settings, Evaluation);

        // A worker may still be loading a version while η newer ones are published.
        var policies = new PolicyStore(settings.Rollout.Staleness + 2);
        RolloutSettings rollout = settings.Rollout;
        var setup = new WorkerSetup(
            name, settings.Run.Seed, File.ReadAllText(Path.Combine(modelFolder, "config.json")), dtype == ScalarType.BFloat16, [.. stopTokens], maxLength,
            rollout.GroupSize, rollout.MaxNewTokens, rollout.Temperature, rollout.TopK, rollout.TopP, rollout.Staleness, rollout.SwitchInFlight);
        return new RunContext(name, folder, inForce, problems, tokenizer, prompts, verifier, policies, WorkerEngine, Trainer, time) { Setup = setup };
    }

    /// <summary>
    /// The base model with an optimizer that has taken no step: where the fold over a journal begins. To be called on the thread that will own
    /// the trainer; needs the model's folder, and no data.
    /// </summary>
    /// <param name="evaluation">What it measures itself with, made on the same thread; null: nothing.</param>
    /// <exception cref="UserErrorException">The model's folder or device is not to be had.</exception>
    public static IPolicyTrainer CreateTrainer(GhpoSettings settings, Func<HeldOutEvaluation?> evaluation)
    {
        TorchThreads.UseOnThisThread(settings.Learning.Threads);
        return new PolicyTrainer(
            ModelFolder.Load(
                ModelFolder.Resolve(settings.Model.Path), Devices.Parse(settings.Model.Device), settings.Model.Dtype.Scalar()),
            settings.Learning,
            settings.Rewards,
            settings.Rollout.Temperature,
            settings.Rollout.MaxNewTokens,
            settings.Run.Steps,
            evaluation());
    }

    /// <summary>On a thread of its own, because it is the worker's number of torch threads that counts.</summary>
    private static void RequireDeterministicEngine(LoadedModel model, RolloutSettings rollout, ScalarType dtype)
    {
        string? fault;
        try
        {
            fault = TorchThreads.Run(rollout.Threads, () =>
            {
                using DisposeScope scope = NewDisposeScope();
                using var engine = new GenerationEngine(
                    model.Config, CPU, dtype, model.StopTokens, slots: EngineSelfTest.Groups * rollout.GroupSize, EngineSelfTest.MaxLength);
                using var policy = new PolicySnapshot(
                    epoch: 0,
                    new PolicyVersion(0),
                    hash: "",
                    model.Decoder.named_parameters().ToDictionary(named => named.name, named => named.parameter.detach()));
                return EngineSelfTest.Run(engine, policy, model.Config.VocabularySize, rollout.GroupSize).Fault;
            });
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"The engine's self-test failed: {failure.Message}", failure);
        }

        if (fault is not null)
        {
            throw new UserErrorException(
                $"This machine cannot run deterministically: {fault}. Set ghpo.run.deterministic = false to run without that promise.");
        }
    }

    private static SamplingOptions SamplingOf(RolloutSettings rollout) =>
        new(rollout.Temperature, rollout.TopK, rollout.TopP, rollout.MaxNewTokens);
}
