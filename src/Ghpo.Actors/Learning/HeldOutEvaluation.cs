using Ghpo.Hints;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Learning;

/// <summary>
/// avg@k on problems that are never trained on: k answers to each prompt, the share of correct ones averaged over the problems of a level. Every verdict but Correct counts as not solved. Seeds depend on the run's seed and the problem alone, so that two policies are
/// compared on the same draws. Owns its engine. Not thread-safe.
/// </summary>
public sealed class HeldOutEvaluation : IDisposable
{
    private readonly IGenerationEngine _engine;
    private readonly ITokenizer _tokenizer;
    private readonly AnswerVerifier _verifier;
    private readonly IReadOnlyList<Problem> _problems;
    private readonly GenerationRequest[] _requests;

    /// <param name="engine">Must have at least as many slots as <paramref name="settings"/> asks answers for.</param>
    /// <param name="hintRatio">ω of every prompt: 0, but for asking what a hint is worth.</param>
    /// <param name="sampling">Top-k, top-p and the longest answer; the temperature is the evaluation's own.</param>
    public HeldOutEvaluation(
        IGenerationEngine engine,
        ITokenizer tokenizer,
        PromptBuilder prompts,
        AnswerVerifier verifier,
        IReadOnlyList<Problem> problems,
        EvaluationSettings settings,
        SamplingOptions sampling,
        double hintRatio,
        long seed)
    {
        if (engine.FreeSlots < settings.Answers)
        {
            throw new ArgumentException($"The engine has {engine.FreeSlots} slots, too few for evaluation.answers = {settings.Answers}.");
        }

        _engine = engine;
        _tokenizer = tokenizer;
        _verifier = verifier;
        _problems = problems;
        SamplingOptions options = sampling with { Temperature = settings.Temperature };
        _requests =
        [
            .. problems.Select((problem, i) => new GenerationRequest(
                i,
                prompts.Build(new GroupAttempt(default, problem.Id, 0, hintRatio), problem).Prompt,
                settings.Answers,
                SplitMix64.Mix(SplitMix64.Mix((ulong)seed) + (ulong)i),
                options)),
        ];
    }

    /// <summary>Accuracy of a policy by level, in the order in which the levels first appear.</summary>
    public EvaluationResult Run(PolicySnapshot policy, Action<int, int>? progress = null)
    {
        _engine.LoadPolicy(policy);
        var accuracy = new double[_problems.Count];
        int next = 0;
        int done = 0;
        while (done < _requests.Length)
        {
            while (next < _requests.Length && _requests[next].Answers <= _engine.FreeSlots)
            {
                _engine.Submit(_requests[next++]);
            }

            progress?.Invoke(done, _requests.Length);
            foreach (GenerationResult result in _engine.Step())
            {
                int i = (int)result.Tag;
                accuracy[i] = result.Completions.Average(completion => IsCorrect(completion, _problems[i]) ? 1.0 : 0.0);
                done++;
            }
        }

        return new EvaluationResult(
            policy.Version,
            [
                .. _problems.Select((problem, i) => (problem.Level, Accuracy: accuracy[i]))
                    .GroupBy(entry => entry.Level)
                    .Select(level => new LevelAccuracy(level.Key, level.Count(), level.Average(entry => entry.Accuracy))),
            ]);
    }

    public void Dispose() => _engine.Dispose();

    private bool IsCorrect(Completion completion, Problem problem) =>
        _verifier.Judge(_tokenizer.Decode(completion.Tokens), completion.Finish, problem).Verdict == Verdict.Correct;
}
