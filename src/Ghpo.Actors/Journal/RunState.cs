using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>
/// The states of a run's three persistent actors, folded side by side over one journal in the order of writing. Since each actor writes what it
/// rests on after that is written, every beginning of a journal is a state that the run really passed through.
/// </summary>
public sealed record RunState(CurriculumState Curriculum, HintState Hints, LearnerState Learner)
{
    /// <param name="staleness">η of the run.</param>
    public static RunState Empty(int staleness) => new(CurriculumState.Empty, HintState.Empty(staleness), LearnerState.Empty);

    public RunState Apply(object fact) => fact switch
    {
        StepPlanned planned => this with { Curriculum = Curriculum.Apply(planned) },
        OutcomeRecorded outcome => this with { Curriculum = Curriculum.Apply(outcome) },
        HintRaised raised => this with { Hints = Hints.Apply(raised) },
        GroupReleased released => this with { Hints = Hints.Apply(released) },
        EpochStarted started => this with { Learner = Learner.Apply(started) },
        GroupSettled settled => this with { Learner = Learner.Apply(settled) },

        // The learner closes a step with the curriculum as it commits it, and once more after each recovery: no event is spent on that.
        StepCommitted committed => this with { Learner = Learner.Apply(committed), Curriculum = Curriculum.Close(committed.Step) },
        CheckpointTaken taken => this with { Learner = Learner.Apply(taken) },
        PolicyEvaluated evaluated => this with { Learner = Learner.Apply(evaluated) },

        ControlApplied applied => this with { Learner = Learner.Apply(applied) },
        SteeringProtocol.RunSteered steered => this with { Learner = Learner.Apply(steered) },

        // The learner holds tokens for steps that no checkpoint covers; these groups are of covered ones. A fork's events are its parent's. Who samples has no bearing.
        GroupPruned or RunForked or SteeringProtocol.MemberSteered => this,
        _ => throw new InvalidOperationException($"{fact.GetType().Name} is journalled, but {nameof(RunState)} does not fold it."),
    };

    /// <summary>Groups that are planned and have not settled, in order.</summary>
    public ImmutableArray<PlannedGroup> OpenGroups =>
    [
        .. Curriculum.Open.Values.SelectMany(step => step.Groups)
            .Where(group => !Learner.HasSettled(group.Group) && !Curriculum.HasOutcome(group.Group)),
    ];
}
