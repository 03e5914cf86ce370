using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Dispatch;

/// <summary>
/// What the actors of a run are made from. The functions make models; the actors call them on the threads that will own the models.
/// </summary>
/// <param name="Name">Name of the run.</param>
/// <param name="Folder">Full path of the run's folder.</param>
/// <param name="Policies">Where the learner leaves weights and the workers of this process find them.</param>
public sealed record RunContext(
    string Name,
    string Folder,
    GhpoSettings Settings,
    ProblemSet Problems,
    ITokenizer Tokenizer,
    PromptBuilder Prompts,
    AnswerVerifier Verifier,
    PolicyStore Policies,
    Func<IGenerationEngine> CreateEngine,
    Func<IPolicyTrainer> CreateTrainer,
    TimeProvider Time)
{
    /// <summary>The training problems by their ids.</summary>
    public IReadOnlyDictionary<ProblemId, Problem> ProblemsById { get; } = Problems.Train.ToDictionary(problem => problem.Id);
}
