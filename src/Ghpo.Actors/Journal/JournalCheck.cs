using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Learning;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>
/// What must hold of every journal, whatever was killed when: nothing acknowledged is lost, nothing is trained twice, nothing is skipped.
/// <list type="bullet">
/// <item>epochs rise, and nothing comes before the first;</item>
/// <item>steps are planned in sequence from 0, each once;</item>
/// <item>steps are committed in sequence from 0, each once;</item>
/// <item>a committed step was planned, and exactly its planned groups, with their problems, settled exactly once, before the commit;</item>
/// <item>a group that settled was planned, is of the epoch it was journalled in, and no older than its step allows;</item>
/// <item>a checkpoint covers exactly the steps committed before it;</item>
/// <item>what hint schedule and curriculum hold of a group is what it settled with (<see cref="NotesCheck"/>).</item>
/// </list>
/// </summary>
public static class JournalCheck
{
    /// <param name="curriculum">Events of the curriculum, oldest first.</param>
    /// <param name="learner">Events of the learner, oldest first.</param>
    /// <param name="staleness">η of the run.</param>
    /// <returns>One sentence for each fault; empty for a sound journal.</returns>
    public static ImmutableArray<string> Of(IEnumerable<object> curriculum, IEnumerable<object> learner, int staleness)
    {
        var findings = ImmutableArray.CreateBuilder<string>();
        Dictionary<int, StepPlanned> plans = Plans(curriculum, findings);
        CheckLearner(plans, learner, staleness, findings);
        return findings.ToImmutable();
    }

    /// <param name="curriculum">Events of the curriculum, oldest first.</param>
    /// <param name="hints">Events of the hint schedule, oldest first.</param>
    /// <param name="learner">Events of the learner, oldest first.</param>
    /// <param name="staleness">η of the run.</param>
    /// <returns>One sentence for each fault; empty for a sound journal.</returns>
    public static ImmutableArray<string> Of(
        IReadOnlyCollection<object> curriculum, IEnumerable<object> hints, IEnumerable<object> learner, int staleness)
    {
        var findings = ImmutableArray.CreateBuilder<string>();
        Dictionary<int, StepPlanned> plans = Plans(curriculum, findings);
        (IReadOnlyDictionary<GroupId, GroupFacts> settled, int nextStep) = CheckLearner(plans, learner, staleness, findings);
        findings.AddRange(NotesCheck.Of(plans.Values.SelectMany(plan => plan.Groups), settled, nextStep, curriculum, hints));
        return findings.ToImmutable();
    }

    private static Dictionary<int, StepPlanned> Plans(IEnumerable<object> curriculum, ImmutableArray<string>.Builder findings)
    {
        Dictionary<int, StepPlanned> plans = [];
        foreach (StepPlanned planned in curriculum.OfType<StepPlanned>())
        {
            if (planned.Step > plans.Count)
            {
                findings.Add($"step {planned.Step} was planned where step {plans.Count} was due");
            }

            if (!plans.TryAdd(planned.Step, planned))
            {
                findings.Add($"step {planned.Step} was planned twice");
            }
        }

        return plans;
    }

    private static (IReadOnlyDictionary<GroupId, GroupFacts> Settled, int NextStep) CheckLearner(
        Dictionary<int, StepPlanned> plans, IEnumerable<object> learner, int staleness, ImmutableArray<string>.Builder findings)
    {
        Dictionary<GroupId, GroupFacts> settled = [];
        Dictionary<int, int> groupsOf = [];
        long epoch = 0;
        int nextStep = 0;
        foreach (object fact in learner)
        {
            switch (fact)
            {
                case EpochStarted started:
                    Require(started.Epoch > epoch, $"epoch {started.Epoch} follows epoch {epoch}");
                    epoch = started.Epoch;
                    break;
                case StepCommitted committed:
                    Require(committed.Step == nextStep, $"step {committed.Step} was committed where step {nextStep} was due");
                    Require(committed.Version.Value == committed.Step + 1, $"step {committed.Step} gave {committed.Version}");
                    CheckGroups(committed.Step);
                    nextStep = committed.Step + 1;
                    break;
                case CheckpointTaken taken:
                    Require(taken.NextStep == nextStep, $"checkpoint {taken.Folder} was taken with {nextStep} steps committed");
                    break;
                default:
                    if (GroupFacts.Of(fact) is { } group)
                    {
                        Settle(group);
                    }

                    break;
            }
        }

        return (settled, nextStep);

        void Require(bool holds, string finding)
        {
            if (!holds)
            {
                findings.Add(finding);
            }
        }

        void Settle(GroupFacts group)
        {
            GroupId id = group.Group;
            Require(epoch > 0, $"group {id} settled before the first epoch");
            if (settled.TryAdd(id, group))
            {
                groupsOf[id.Step] = groupsOf.GetValueOrDefault(id.Step) + 1;
            }
            else
            {
                findings.Add($"group {id} settled twice");
            }

            Require(id.Step >= nextStep, $"group {id} settled after its step was committed");
            Require(
                !plans.TryGetValue(id.Step, out StepPlanned? plan) || (id.Index >= 0 && id.Index < plan.Groups.Length && plan.Groups[id.Index].Group == id),
                $"group {id} settled, but step {id.Step} was planned without it");
            Require(group.Epoch == epoch, $"group {id} of epoch {group.Epoch} settled in epoch {epoch}");
            Require(
                group.Version.Value >= id.Step - staleness && group.Version.Value <= nextStep,
                $"group {id} was sampled under {group.Version} with {nextStep} steps committed and staleness {staleness}");
        }

        void CheckGroups(int step)
        {
            if (!plans.TryGetValue(step, out StepPlanned? plan))
            {
                findings.Add($"step {step} was committed without a plan");
                return;
            }

            foreach (PlannedGroup planned in plan.Groups)
            {
                if (!settled.TryGetValue(planned.Group, out GroupFacts? group))
                {
                    findings.Add($"step {step} was committed without group {planned.Group}");
                }
                else
                {
                    Require(
                        group.Problem == planned.Problem,
                        $"group {planned.Group} was planned with problem {planned.Problem} and settled with {group.Problem}");
                }
            }

            int groups = groupsOf.GetValueOrDefault(step);
            Require(groups == plan.Groups.Length, $"step {step} was committed with {groups} groups where {plan.Groups.Length} were planned");
        }
    }
}
