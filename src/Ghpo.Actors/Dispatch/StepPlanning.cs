using System.Collections.Immutable;
using Akka;
using Akka.Actor;
using Akka.Streams.Dsl;
using Akka.Util;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;

namespace Ghpo.Dispatch;

/// <summary>
/// The groups to sample, step after step, as the pipeline asks for them. A step is planned only once the learner opens it, that is, once the policy
/// is fresh enough; groups of it that have settled before (a resumed run) are left out, the others come at the hint level they have reached.
/// Ends when the learner says that no step follows.
/// </summary>
internal sealed class StepPlanning(IActorRef learner, IActorRef curriculum, IActorRef hints, TimeSpan patience, CancellationToken stopped)
{
    public Source<GroupAttempt, NotUsed> From(int firstStep) =>
        Source.UnfoldAsync(firstStep, PlanAsync).SelectMany(attempts => attempts);

    private async Task<Option<(int, ImmutableArray<GroupAttempt>)>> PlanAsync(int step)
    {
        // No deadline here: a step opens when the one before is learned, however long that takes. The owner's token ends the wait.
        object opened = await learner.Ask<object>(new LearnerProtocol.OpenStep(step), Timeout.InfiniteTimeSpan, stopped).ConfigureAwait(false);
        if (opened is not LearnerProtocol.StepOpened open)
        {
            return Option<(int, ImmutableArray<GroupAttempt>)>.None;
        }

        CurriculumProtocol.StepPlan plan = await curriculum
            .Ask<CurriculumProtocol.StepPlan>(new CurriculumProtocol.PlanStep(step), patience, stopped).ConfigureAwait(false);
        ImmutableArray<PlannedGroup> unsettled = [.. plan.Groups.Where(planned => !open.Settled.Contains(planned.Group.Index))];
        HintProtocol.GroupsOpened groups = await hints
            .Ask<HintProtocol.GroupsOpened>(new HintProtocol.OpenGroups(unsettled), patience, stopped).ConfigureAwait(false);
        return (step + 1, groups.Attempts);
    }
}
