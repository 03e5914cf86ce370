using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Observability;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Configuration;

/// <summary>The whole configuration, bound once from HOCON. Each section's meaning, unit and default stand in reference.conf.</summary>
public sealed record GhpoSettings(
    RunSettings Run,
    DataSettings Data,
    PromptSettings Prompt,
    ModelSettings Model,
    CurriculumSettings Curriculum,
    HintSettings Hints,
    RolloutSettings Rollout,
    VerificationSettings Verification,
    RewardSettings Rewards,
    LearningSettings Learning,
    CheckpointSettings Checkpoints,
    EvaluationSettings Evaluation,
    JournalSettings Journal,
    DispatchSettings Dispatch,
    ClusterSettings Cluster,
    LoggingSettings Logging,
    InspectionSettings Inspection,
    ObservabilitySettings Observability);

/// <summary>ghpo.logging</summary>
public sealed record LoggingSettings(LogVerbosity Level);

public enum LogVerbosity
{
    Verbose,
    Debug,
    Information,
    Warning,
    Error,
}
