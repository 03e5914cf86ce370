using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Journal;
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
    /// <summary>The settings that the run was started with, however long ago; those of this process, <see cref="Settings"/>, have all controls in them.</summary>
    public GhpoSettings Started { get; init; } = Settings;

    /// <summary>What users asked to change before this process began, to be journalled by it.</summary>
    public ImmutableArray<ControlRequest> Requests { get; init; } = [];

    /// <summary>What workers of other nodes are offered; null: the run is this process's alone.</summary>
    public ClusterSide? Cluster { get; init; }

    /// <summary>This process's hold on the run's journal.</summary>
    public IJournalHold Hold { get; init; } = FirmHold.Instance;

    /// <summary>What makes an engine of another node give the answers of this one's.</summary>
    public required WorkerSetup Setup { get; init; }

    /// <summary>Nodes with the role of a verifier judge answers, where there are any.</summary>
    public bool VerifiesOnNodes => Cluster is not null && Settings.Verification.OnNodes;

    /// <summary>Takes weights over and makes them readable for the workers of this process and of others.</summary>
    public void Publish(PolicySnapshot policy)
    {
        Cluster?.Plane.Publish(policy);
        Policies.Publish(policy);
    }

    /// <summary>
    /// Made when a team starts: throws, from then on, when the journal is not this process's any more, or was not for a while. Asks the database; for threads that may block.
    /// </summary>
    /// <exception cref="SupersededException">Thrown by what is returned.</exception>
    public Action RequireHold()
    {
        HoldState atStart = Hold.State;
        return () =>
        {
            HoldState now = Hold.CheckAsync().GetAwaiter().GetResult();
            if (now != atStart)
            {
                throw new SupersededException(now switch
                {
                    HoldState.Taken taken => taken.By,
                    HoldState.Unreachable unreachable => unreachable.Reason,
                    _ => "the hold on the journal was lost for a while; what was read before may be out of date",
                });
            }
        };
    }

    /// <summary>The training problems by their ids.</summary>
    public IReadOnlyDictionary<ProblemId, Problem> ProblemsById { get; } = Problems.Train.ToDictionary(problem => problem.Id);

    /// <summary>Difficulty of a training problem; "" of one that the data no longer has.</summary>
    public string LevelOf(ProblemId problem) => ProblemsById.TryGetValue(problem, out Problem? known) ? known.Level : "";
}
