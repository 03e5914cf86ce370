using System.Collections.Immutable;
using Ghpo.Curriculum;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>
/// What must hold of every journal, whatever was killed when: nothing acknowledged is lost, nothing is trained twice, nothing is skipped.
/// <list type="bullet">
/// <item>epochs rise, and nothing comes before the first;</item>
/// <item>steps are committed in sequence from 0, each once;</item>
/// <item>a committed step was planned, and exactly its planned groups, with their problems, settled exactly once, before the commit;</item>
/// <item>a group is of the epoch it was journalled in, and no older than its step allows;</item>
/// <item>a checkpoint covers committed steps only.</item>
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
        Dictionary<int, StepPlanned> plans = [];
        var findings = ImmutableArray.CreateBuilder<string>();
        foreach (StepPlanned planned in curriculum.OfType<StepPlanned>())
        {
            if (!plans.TryAdd(planned.Step, planned))
            {
                findings.Add($"step {planned.Step} was planned twice");
            }
        }

        Dictionary<GroupId, GroupSettled> settled = [];
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
                case GroupSettled group:
                    GroupId id = group.Group.Group;
                    Require(epoch > 0, $"group {id} settled before the first epoch");
                    Require(settled.TryAdd(id, group), $"group {id} settled twice");
                    Require(id.Step >= nextStep, $"group {id} settled after its step was committed");
                    Require(group.Group.Epoch == epoch, $"group {id} of epoch {group.Group.Epoch} settled in epoch {epoch}");
                    Require(
                        group.Group.Version.Value >= id.Step - staleness && group.Group.Version.Value <= nextStep,
                        $"group {id} was sampled under {group.Group.Version} with {nextStep} steps committed and staleness {staleness}");
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
            }
        }

        return findings.ToImmutable();

        void Require(bool holds, string finding)
        {
            if (!holds)
            {
                findings.Add(finding);
            }
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
                if (!settled.TryGetValue(planned.Group, out GroupSettled? group))
                {
                    findings.Add($"step {step} was committed without group {planned.Group}");
                }
                else
                {
                    Require(
                        group.Group.Problem == planned.Problem,
                        $"group {planned.Group} was planned with problem {planned.Problem} and settled with {group.Group.Problem}");
                }
            }

            int groups = settled.Keys.Count(group => group.Step == step);
            Require(groups == plan.Groups.Length, $"step {step} was committed with {groups} groups where {plan.Groups.Length} were planned");
        }
    }
}
