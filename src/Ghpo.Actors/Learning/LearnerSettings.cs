using Ghpo.Configuration;
using Ghpo.Verification;

namespace Ghpo.Learning;

/// <summary>What <see cref="LearnerActor"/> takes from the configuration.</summary>
/// <param name="Steps">Steps of the run.</param>
/// <param name="TokenBudget">Completion tokens after which the run ends; 0: no budget.</param>
/// <param name="Staleness">η, the steps by which sampling may lead learning.</param>
/// <param name="Folder">The run folder; checkpoint folders are relative to it.</param>
public sealed record LearnerSettings(
    int Steps,
    long TokenBudget,
    int GroupsPerStep,
    int Staleness,
    string Folder,
    RewardSettings Rewards,
    CheckpointSettings Checkpoints,
    EvaluationSettings Evaluation)
{
    public static LearnerSettings Of(GhpoSettings settings, string folder) => new(
        settings.Run.Steps,
        settings.Run.TokenBudget,
        settings.Curriculum.GroupsPerStep,
        settings.Rollout.Staleness,
        folder,
        settings.Rewards,
        settings.Checkpoints,
        settings.Evaluation);
}
