using System.Collections.Immutable;
using Ghpo.Learning;
using Ghpo.Problems;

namespace Ghpo.Curriculum;

/// <summary>What <c>CurriculumActor</c> is told, answers, and writes to its journal.</summary>
public static class CurriculumProtocol
{
    /// <summary>Plans a step, or returns its plan if it was planned before. Answered by <see cref="StepPlan"/>.</summary>
    public sealed record PlanStep(int Step);

    public sealed record StepPlan(int Step, ImmutableArray<PlannedGroup> Groups);

    /// <summary>How a group ended. Idempotent by group. Answered by <see cref="OutcomeNoted"/> once it is in the journal.</summary>
    /// <param name="Correct">Correct answers at the level the group settled at.</param>
    /// <param name="Judged">Answers there that count.</param>
    public sealed record RecordOutcome(
        GroupId Group, ProblemId Problem, Settlement Settlement, double HintRatio, int Correct, int Judged);

    public sealed record OutcomeNoted(GroupId Group);

    /// <summary>A step is in the learner's weights: what the curriculum kept to answer for it may go.</summary>
    public sealed record CloseStep(int Step);

    /// <summary>Event. Persisted because a step's problems must be the same after a crash, whatever the curriculum would choose then.</summary>
    public sealed record StepPlanned(int Step, ImmutableArray<PlannedGroup> Groups);

    /// <summary>Event. Persisted because later plans may depend on how problems went.</summary>
    public sealed record OutcomeRecorded(
        GroupId Group, ProblemId Problem, Settlement Settlement, double HintRatio, int Correct, int Judged);

    /// <summary>Query, answered by <see cref="CurriculumView"/>.</summary>
    public sealed record GetCurriculum;

    /// <summary>Query, answered by <see cref="ProblemView"/>.</summary>
    public sealed record GetProblem(ProblemId Problem);

    /// <param name="Statistics">Null: no group of it has settled.</param>
    public sealed record ProblemView(ProblemId Problem, ProblemStatistics? Statistics);

    public sealed record CurriculumView(int Pass, int Cursor, int Problems, int ProblemsSeen, ImmutableArray<int> OpenSteps);
}
